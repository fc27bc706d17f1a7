import Foundation
import TestSupport
import Testing

/// A disk that takes no checkpoint: training goes on, and the checkpoint before stays valid.
@Suite(.serialized) struct DiskFullTests {
  /// Whether a small file system can be mounted here, as root or in a user name space.
  static var canMount: Bool {
    let result = try? Command.run(["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"])
    return result?.code == 0
  }

  private let data: TinyDataset
  private var run: String { data.folder.file("run") }
  private var errors: String { data.folder.file("errors") }

  init() throws {
    data = try TinyDataset()
    try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
  }

  /// Trains without an end on a file system of 8 MB and runs `action` in a shell once there is a
  /// checkpoint. There `$train` goes on, `$!` trains, `warnings N` waits for N more of them, and
  /// `changes` for a new checkpoint.
  private func train(then action: String) throws -> Command.Result {
    try Command.run([
      "unshare", "-rm", "bash", "-c",
      """
      mount -t tmpfs -o size=8m tmpfs \(run)
      cd \(run)
      train="\(Command.lkdist) train \(data.configuration) --output \(run)
        --set training.epochs=100000 --set training.stepsPerEpoch=9
        --set training.validateEvery=5"
      last=checkpoints/last.safetensors
      waits() { for i in $(seq 300); do eval "$1" && return; sleep 0.1; done; exit 9; }
      warned() { grep -c 'warning: cannot write the checkpoint' \(errors); }
      warnings() { local more=$(($(warned) + $1)); waits "[ \\$(warned) -ge $more ]"; }
      sum() { sha256sum $last; }
      changes() { local old=$(sum); waits "[ \\"\\$(sum)\\" != '$old' ]"; }
      ends() { kill -USR1 $1; wait $1; code=$?; }
      $train 2> \(errors) &
      trap 'kill -9 $(jobs -p) 2> /dev/null' EXIT
      waits "[ -s $last ]"
      \(action)
      """,
    ])
  }

  private func log() throws -> String { try String(contentsOfFile: errors, encoding: .utf8) }

  @Test(.enabled(if: canMount, "needs mount in a name space"))
  func `training goes on while the disk is full`() throws {
    let result = try train(
      then: """
        dd if=/dev/zero of=filler bs=1k 2> /dev/null
        warnings 1
        old=$(sum)
        warnings 3
        [ "$old" = "$(sum)" ] || exit 2
        rm filler
        changes
        ends $!
        [ $code = 75 ] || exit 3
        ls -A checkpoints
        # The steps that found no room are there as well.
        steps=$(grep -c '"loss"' metrics.jsonl)
        tail -n 2 metrics.jsonl | grep -q '"step": '$steps, || exit 4
        """)
    let errors = try log()
    #expect(result.code == 0, "\(result.output)\(errors)")
    #expect(!result.output.contains(".partial"), "\(result.output)")
    for text in [
      "last.safetensors: No space left on device (0 MiB are free)", "make room",
      "training goes on and the next checkpoint tries again",
    ] {
      #expect(errors.contains(text), "\(text)")
    }
  }

  @Test(.enabled(if: canMount, "needs mount in a name space"))
  func `a last checkpoint that does not fit is code 74, and the one before stays valid`() throws {
    let result = try train(
      then: """
        dd if=/dev/zero of=filler bs=1k 2> /dev/null
        warnings 1
        old=$(sum)
        ends $!
        [ $code = 74 ] || exit 2
        [ "$old" = "$(sum)" ] || exit 3
        ls -A checkpoints
        rm filler
        $train 2>> \(errors) &
        changes
        ends $!
        [ $code = 75 ] || exit 4
        """)
    let errors = try log()
    #expect(result.code == 0, "\(errors)")
    #expect(!result.output.contains(".partial"), "\(result.output)")
    #expect(errors.contains("then run again"), "\(errors)")
    #expect(errors.contains("going on from"), "\(errors)")
  }

  @Test(.enabled(if: canMount, "needs mount in a name space"))
  func `training goes on while the folder cannot be written`() throws {
    let result = try train(
      then: """
        mount --bind checkpoints checkpoints
        mount -o remount,ro,bind checkpoints
        warnings 1
        old=$(sum)
        warnings 2
        [ "$old" = "$(sum)" ] || exit 2
        umount -l checkpoints
        changes
        ends $!
        [ $code = 75 ] || exit 3
        """)
    let errors = try log()
    #expect(result.code == 0, "\(errors)")
    #expect(errors.contains("Read-only file system"), "\(errors)")
  }
}
