import Foundation
import TestSupport
import Testing

/// A rank that hangs in a real run, as a user sees it.
@Suite(.serialized) struct WatchdogCommandTests {
  private let data: TinyDataset
  private var run: String { data.folder.file("run") }

  init() throws { data = try TinyDataset() }

  /// Trains with 2 ranks without an end and runs `action` in a shell once steps are done; there
  /// `rank N` prints the process of a rank and `$!` is mpirun.
  private func train(timeout: Int, then action: String) throws -> Command.Result {
    try Command.run([
      "bash", "-c",
      """
      mpirun -n 2 --oversubscribe \(Command.lkdist) train \(data.configuration) \
        --output \(run) --set training.epochs=100000 --set training.validateEvery=100000 \
        --set training.checkpointEvery=100000 --set distributed.timeoutSeconds=\(timeout) &
      launcher=$!
      rank() {
        for child in $(pgrep -P $launcher); do
          if tr '\\0' '\\n' < /proc/$child/environ | grep -qx OMPI_COMM_WORLD_RANK=$1; then
            echo $child
          fi
        done
      }
      while ! [ -s \(run)/metrics.jsonl ]; do sleep 0.1; done
      \(action)
      wait $launcher
      code=$?
      for process in $processes; do
        for i in $(seq 20); do
          if ! [ -e /proc/$process ] || grep -q '^State:.*Z' /proc/$process/status; then
            continue 2
          fi
          sleep 0.1
        done
        echo "process $process is left"
      done
      exit $code
      """,
    ])
  }

  @Test func `a stopped rank is named, the job ends with code 71 and leaves no process`() throws {
    let start = ContinuousClock.now
    let result = try train(
      timeout: 4, then: "sleep 1; processes=\"$(rank 0) $(rank 1)\"; kill -STOP $(rank 1)")
    #expect(result.code == 71, "\(result.errors)")
    #expect(ContinuousClock.now - start < .seconds(60))
    #expect(!result.output.contains("is left"), "\(result.output)")
    let log = try String(contentsOfFile: run + "/train.log", encoding: .utf8)
    for text in [result.errors, log] {
      #expect(text.contains("rank 1 on "), "\(text)")
      #expect(
        text.contains(", last in step ") && text.contains(", has been silent for "), "\(text)")
    }
  }

  @Test func `a rank stopped for less than the timeout does not matter`() throws {
    let result = try train(
      timeout: 6,
      then: """
        processes="$(rank 0) $(rank 1)"
        kill -STOP $(rank 1); sleep 3; kill -CONT $(rank 1); sleep 1; kill -USR1 $(rank 0)
        """)
    #expect(result.code == 75, "\(result.errors)")
    #expect(!result.errors.contains("silent"), "\(result.errors)")
  }
}
