import CMPI
import Foundation

/// Prints `message` with this rank's place to stderr and ends the whole job with `code`.
///
/// Never hangs: MPI_Abort (MPI 3.1, 8.7) is given two seconds, then this process leaves by itself
/// and the launcher ends the others. Without a launcher the exit code is exactly `code`.
package func fail(_ message: String, code: Int32) -> Never {
  writeAtOnce("lkdist: \(placeOfThisRank())\(message)\n")
  endJob(code: code)
}

/// Ends every rank of the job with `code`, this one last.
func endJob(code: Int32) -> Never {
  // Measured: MPI_Abort blocked for over 20 s on a host whose cable was cut; a flush can block on a
  // lock that another thread holds.
  Thread.detachNewThread {
    usleep(2_000_000)
    _exit(code)
  }
  fflush(nil)
  // MPI_Abort prints a banner, which a rank alone has nobody to show to.
  if let place = placeInWorld() { _ = place.size > 1 ? cmpi_abort(code) : cmpi_end() }
  // Without exit handlers: another thread may still be inside MPI.
  _exit(code)
}

/// "rank k of n on host: ", or nothing where there is only one rank.
private func placeOfThisRank() -> String {
  guard let (rank, size) = placeInWorld(), size > 1 else { return "" }
  return "rank \(rank) of \(size) on \(nameOfThisHost()): "
}

/// This rank and the number of ranks; nil before MPI starts and after it ends.
private func placeInWorld() -> (rank: Int32, size: Int32)? {
  guard cmpi_now() == CMPI_RUNNING else { return nil }
  var world: cmpi_comm = 0
  var (rank, size): (Int32, Int32) = (0, 1)
  guard cmpi_world(&world) == 0, cmpi_place(world, &rank, &size) == 0 else { return nil }
  return (rank, size)
}

/// One write, so that the messages of several ranks do not mix within a line.
private func writeAtOnce(_ text: String) {
  let bytes = Array(text.utf8)
  _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
}

/// The host's own name, without asking a name server.
func nameOfThisHost() -> String {
  var name = [CChar](repeating: 0, count: 256)
  guard gethostname(&name, name.count - 1) == 0 else { return "unknown" }
  return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}
