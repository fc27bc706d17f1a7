import Foundation
import TestSupport

/// Trainings of two ranks in which something is broken on purpose, as a user sees them.
struct BrokenRun {
  /// How a training ended.
  struct End {
    let code: Int32
    /// What the terminal showed and, of a run that came so far, `train.log`.
    let errors: String
    let log: String
    /// Seconds from the moment that something was broken.
    let seconds: Double
    /// The processes that were left, one a line.
    let left: String
  }

  let data: TinyDataset
  var path: String { data.folder.file("run") }
  /// Values of the configuration.
  var settings: [String]
  /// Words before `lkdist` on rank 1, such as a limit.
  var prefixOfRank1 = ""

  /// A run that goes on without an end unless `settings` say otherwise.
  init(_ data: TinyDataset, _ settings: [String]) {
    self.data = data
    self.settings =
      [
        "training.epochs=100000", "training.validateEvery=100000",
        "training.checkpointEvery=100000",
      ] + settings
  }

  /// Trains until the job ends, and runs `action` in a shell once `moment` holds there. Both may use
  /// `$run` and `$(rank N)`, the process of a rank.
  func train(
    when moment: String = "[ -s $run/metrics.jsonl ]", then action: String = ":"
  ) throws -> End {
    let train =
      "\(Command.lkdist) train \(data.configuration) --output \(path) "
      + settings.map { "--set \($0)" }.joined(separator: " ")
    let result = try Command.run([
      "bash", "-c",
      """
      run=\(path)
      mpirun --oversubscribe -n 1 \(train) : -n 1 \(prefixOfRank1) \(train) &
      launcher=$!
      ranks() { for p in $(pgrep -x lkdist); do grep -qa $run /proc/$p/cmdline && echo $p; done; }
      rank() {
        for p in $(ranks); do
          tr '\\0' '\\n' < /proc/$p/environ | grep -qx OMPI_COMM_WORLD_RANK=$1 && echo $p
        done
      }
      until \(moment) || ! kill -0 $launcher; do sleep 0.1; done
      \(action)
      start=$(date +%s%N)
      wait $launcher
      code=$?
      echo $((($(date +%s%N) - start) / 1000000))
      for i in $(seq 20); do [ -n "$(ranks)" ] && sleep 0.1; done
      ranks
      exit $code
      """,
    ])
    let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false)
    return End(
      code: result.code, errors: result.errors,
      log: (try? String(contentsOfFile: path + "/train.log", encoding: .utf8)) ?? "",
      seconds: lines.first.flatMap { Double($0) }.map { $0 / 1000 } ?? .infinity,
      left: lines.dropFirst().joined(separator: "\n"))
  }
}
