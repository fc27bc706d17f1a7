import Files
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite struct FileLockTests {
  @Test func `only one holds a lock, and its file goes with it`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("lock")
    do {
      let lock = try FileLock(path, patience: 0)
      let isHeld = lock != nil
      #expect(isHeld)
      let other = try FileLock(path, patience: 0.05)
      let isOthers = other != nil
      #expect(!isOthers)
      #expect(folder.names == ["lock"])
      extendLifetime(lock)
    }
    #expect(folder.names == [])
    let next = try FileLock(path, patience: 0)
    let isNext = next != nil
    #expect(isNext)
    extendLifetime(next)
  }

  @Test func `a lock file that a dead process left is no obstacle`() throws {
    let folder = try TemporaryFolder()
    try folder.write([], to: "lock")
    let lock = try FileLock(folder.file("lock"), patience: 0)
    let isHeld = lock != nil
    #expect(isHeld)
    extendLifetime(lock)
  }

  @Test func `threads take turns`() throws {
    let folder = try TemporaryFolder()
    let inside = Mutex(0)
    let done = Mutex(0)
    DispatchQueue.concurrentPerform(iterations: 8) { _ in
      for _ in 0..<5 {
        guard let lock = try? FileLock(folder.file("lock"), patience: 60) else { return }
        let others = inside.withLock { count in
          count += 1
          return count
        }
        #expect(others == 1)
        Thread.sleep(forTimeInterval: 0.001)
        inside.withLock { $0 -= 1 }
        done.withLock { $0 += 1 }
        extendLifetime(lock)
      }
    }
    #expect(done.withLock { $0 } == 40)
  }

  @Test func `a folder without locks or without room for them is an error`() throws {
    #expect(throws: FileError(code: ENOENT)) { _ = try FileLock("/nowhere/lock", patience: 0) }
  }
}

@Suite struct MappedFileTests {
  @Test func `a mapped file outlives its name`() throws {
    let folder = try TemporaryFolder()
    try folder.write([1, 2, 3], to: "a")
    let file = try MappedFile(folder.file("a"))
    try FileManager.default.removeItem(atPath: folder.file("a"))
    #expect(Array(file.bytes) == [1, 2, 3])
  }

  @Test func `what cannot be mapped is an error`() throws {
    let folder = try TemporaryFolder()
    try folder.write([], to: "empty")
    #expect(throws: FileError.self) { _ = try MappedFile(folder.file("empty")) }
    #expect(throws: FileError(code: ENOENT)) { _ = try MappedFile(folder.file("none")) }
    #expect(throws: FileError(code: EISDIR)) { _ = try MappedFile(folder.path) }
  }
}
