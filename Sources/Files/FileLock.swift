import Glibc

/// A lock between processes and threads; the system lets go of it when its process dies.
package struct FileLock: ~Copyable {
  private let descriptor: Int32
  private let path: String

  /// Takes the lock named `path`, a file that is there while the lock is held; nil if somebody else
  /// still holds it after `patience` seconds.
  ///
  /// - Throws: the system's refusal, as on file systems without locks.
  package init?(_ path: String, patience: Double) throws(FileError) {
    let end = ContinuousClock.now + .seconds(patience)
    while true {
      if let descriptor = try Self.lock(path) {
        (self.descriptor, self.path) = (descriptor, path)
        return
      }
      guard ContinuousClock.now < end else { return nil }
      usleep(10_000)
    }
  }

  deinit {
    unlink(path)
    close(descriptor)
  }

  /// The locked file, nil if it is somebody else's.
  private static func lock(_ path: String) throws(FileError) -> Int32? {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .last }
    let status = flock(descriptor, LOCK_EX | LOCK_NB)
    let error = FileError.last
    // Who held it before has removed the file, and a third may have made a new one.
    if status == 0 && isStill(descriptor, at: path) { return descriptor }
    close(descriptor)
    guard status == 0 || error.code == EWOULDBLOCK || error.code == EINTR else { throw error }
    return nil
  }

  private static func isStill(_ descriptor: Int32, at path: String) -> Bool {
    var (own, there) = (stat(), stat())
    return fstat(descriptor, &own) == 0 && stat(path, &there) == 0
      && own.st_ino == there.st_ino && own.st_dev == there.st_dev
  }
}
