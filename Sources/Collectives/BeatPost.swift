import CMPI

/// Carries beats on a communicator of their own: from every rank to the root, from the root to all.
///
/// For one thread. Errors are not told: whoever does not come through is found silent.
final class BeatPost {
  // A message under way; its memory stays until MPI is done with it.
  private final class Letter {
    let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: Beat.capacity)
    var request: cmpi_request = 0
    var isUnderWay = false
    // No deinit: MPI may write or read here until the process ends.
  }

  private let communicator: Communicator
  private let letters: [(rank: Int, letter: Letter)]

  init(_ communicator: Communicator) {
    self.communicator = communicator
    let ranks = communicator.rank == 0 ? Array(1..<communicator.size) : [0]
    letters = ranks.map { ($0, Letter()) }
  }

  /// Sends a beat to those who listen for it; one who has not taken the last is left out, so that a
  /// stopped rank's mail does not pile up.
  func send(_ beat: Beat) {
    let message = beat.message
    for (rank, letter) in letters where isFree(letter) {
      letter.bytes.update(from: message, count: message.count)
      let status = cmpi_start_send(
        communicator.handle, letter.bytes, Int32(message.count), Int32(rank), &letter.request)
      letter.isUnderWay = status == 0
    }
  }

  private func isFree(_ letter: Letter) -> Bool {
    guard letter.isUnderWay else { return true }
    var finished: Int32 = 0
    letter.isUnderWay = cmpi_test(&letter.request, &finished) == 0 && finished == 0
    return !letter.isUnderWay
  }

  /// Calls `take` for every beat that has arrived.
  func receive(_ take: (_ beat: Beat, _ rank: Int) -> Void) {
    var bytes = [UInt8](repeating: 0, count: Beat.capacity)
    while true {
      var (rank, count): (Int32, Int32) = (0, -1)
      let status = cmpi_receive_ready(
        communicator.handle, &bytes, Int32(bytes.count), &rank, &count)
      guard status == 0, count >= 0 else { return }
      if let beat = Beat(message: bytes[0..<Int(count)]) { take(beat, Int(rank)) }
    }
  }
}
