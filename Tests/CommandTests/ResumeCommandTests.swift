import Foundation
import TestSupport
import Testing

/// Runs that are stopped and go on.
@Suite(.serialized) struct ResumeCommandTests {
  private let data: TinyDataset

  init() throws { data = try TinyDataset() }

  private func train(
    _ output: String, ranks: Int = 1, _ more: String..., data: TinyDataset? = nil
  ) throws -> Command.Result {
    let data = data ?? self.data
    let launcher = ["/usr/bin/env", "mpirun", "-n", "\(ranks)", "--oversubscribe"]
    let train = [Command.lkdist, "train", data.configuration, "--output", data.folder.file(output)]
    return try Command.run(launcher + train + more)
  }

  /// The tensors of a run's last checkpoint, without the header.
  private func tensors(_ run: String, _ name: String = "last") throws -> Data {
    let path = data.folder.file("\(run)/checkpoints/\(name).safetensors")
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    return bytes.dropFirst(8 + length)
  }

  private func steps(_ run: String, of data: TinyDataset? = nil) throws -> Int {
    let path = (data ?? self.data).folder.file("\(run)/metrics.jsonl")
    return try String(contentsOfFile: path, encoding: .utf8)
      .split(separator: "\n").count { $0.contains("\"loss\"") }
  }

  @Test(arguments: [1, 2])
  func `a run stopped at every step and resumed gives the same bits`(ranks: Int) throws {
    let whole = try train("whole", ranks: ranks)
    #expect(whole.code == 0, "\(whole.errors)")
    for step in 1...5 {
      let part = try train("parts", ranks: ranks, "--max-steps", "\(step)")
      #expect(part.code == 0, "\(part.errors)")
      #expect(try steps("parts") == step)
      #expect(try tensors("parts") != tensors("whole"))
    }
    let last = try train("parts", ranks: ranks)
    #expect(last.code == 0, "\(last.errors)")
    #expect(try tensors("parts") == tensors("whole"))
    #expect(try tensors("parts", "best") == tensors("whole", "best"))
    #expect(try steps("parts") == 6)
  }

  @Test(arguments: [1, 2])
  func `a run stopped by a signal at any moment gives the same bits`(ranks: Int) throws {
    let length = ["--set", "training.stepsPerEpoch=100", "--set", "training.validateEvery=2"]
    let run = data.folder.file("parts")
    let command =
      "mpirun -n \(ranks) --oversubscribe \(Command.lkdist) train \(data.configuration) "
      + length.joined(separator: " ") + " --output"
    let result = try Command.run([
      "bash", "-c",
      """
      \(command) \(data.folder.file("whole")) || exit 1
      for try in 1 2 3; do
        lines=$(cat \(run)/metrics.jsonl 2> /dev/null | wc -l)
        \(command) \(run) &
        while kill -0 $! && [ $(cat \(run)/metrics.jsonl 2> /dev/null | wc -l) -le $lines ]; do
          sleep 0.02
        done
        # mpirun itself may have inherited a mask that blocks the signal.
        kill -USR1 $(pgrep -P $! -x lkdist | tail -n 1)
        wait $!
        echo "code $?"
      done
      \(command) \(run)
      """,
    ])
    #expect(result.code == 0, "\(result.errors)")
    #expect(result.output.contains("code 75"), "\(result.output)")
    #expect(try tensors("parts") == tensors("whole"))
    #expect(try steps("parts") == 200)
  }

  @Test func `a run goes on with other ranks where the sampler stood`() throws {
    // 7 subjects to train on: 3 on three ranks, 4 on two, in the second epoch 3 + 3 + 1 on one
    // that accumulates.
    let data = try TinyDataset(subjects: 8)
    let seven = ["data.folds=8", "training.stepsPerEpoch=null"].flatMap { ["--set", $0] }
    func part(_ ranks: Int, _ more: String...) throws -> String {
      let launcher = ["/usr/bin/env", "mpirun", "-n", "\(ranks)", "--oversubscribe"]
      let words = [
        Command.lkdist, "train", data.configuration, "--output", data.folder.file("run"),
      ]
      let result = try Command.run(launcher + words + seven + more)
      #expect(result.code == 0, "\(result.errors)")
      return result.errors
    }
    _ = try part(3, "--max-steps", "1")
    let second = try part(2, "--max-steps", "3")
    #expect(second.contains("step 1, with 2 ranks, 3 before"), "\(second)")
    let third = try part(1, "--set", "training.accumulate=3")
    #expect(third.contains("going on from") && third.contains("finished: 2 epochs, 6 steps"))
    #expect(try steps("run", of: data) == 6)
  }

  @Test func `a damaged last falls back to the one before and loses nothing`() throws {
    let keep = ["--set", "training.keep=2"]
    #expect(try train("whole").code == 0)
    for step in ["2", "4"] {
      #expect(try train("parts", keep[0], keep[1], "--max-steps", step).code == 0)
    }
    let last = data.folder.file("parts/checkpoints/last.safetensors")
    var bytes = try Data(contentsOf: URL(fileURLWithPath: last))
    bytes[bytes.count / 2] ^= 4
    try bytes.write(to: URL(fileURLWithPath: last))
    let explicit = try train("parts", keep[0], keep[1], "--resume", last)
    #expect(explicit.code == 74 && explicit.errors.contains("checksum"), "\(explicit.errors)")
    let rest = try train("parts", keep[0], keep[1])
    #expect(rest.code == 0, "\(rest.errors)")
    for text in ["last.safetensors is damaged", "checksum", "last-1.safetensors, step 3"] {
      #expect(rest.errors.contains(text), "\(text) in \(rest.errors)")
    }
    #expect(try tensors("parts") == tensors("whole"))
    #expect(try steps("parts") == 6)
    #expect(FileManager.default.fileExists(atPath: last + ".damaged"))
  }

  @Test func `with nothing to fall back on the run says what to do and starts nothing`() throws {
    #expect(try train("run", "--max-steps", "2").code == 0)
    let last = data.folder.file("run/checkpoints/last.safetensors")
    let bytes = try Data(contentsOf: URL(fileURLWithPath: last))
    try bytes.prefix(bytes.count - 100).write(to: URL(fileURLWithPath: last))
    let result = try train("run")
    #expect(result.code == 74, "\(result.errors)")
    for text in ["last.safetensors", "hold", "--resume never", "training.keep"] {
      #expect(result.errors.contains(text), "\(text) in \(result.errors)")
    }
    #expect(try steps("run") == 2)
  }
}
