import Files
import Testing

@Suite struct FileSystemTests {
  @Test func `the kind of a file system is that of its nearest mount`() {
    let mounts = """
      /dev/vda / ext4 rw 0 0
      tmpfs /run tmpfs rw 0 0
      server:/home /home nfs4 rw 0 0
      tmpfs /home/scratch tmpfs rw 0 0
      /dev/vdb /home/scratch xfs rw 0 0
      """
    for (path, kind) in [
      "/": "ext4", "/runs": "ext4", "/run/user": "tmpfs", "/home/a": "nfs4",
      "/home/scratch": "xfs", "/home/scratch/a": "xfs",
    ] {
      #expect(FileSystem.kind(of: path, mounts: mounts) == kind, "\(path)")
    }
    #expect(FileSystem.kind(of: "/a", mounts: "") == nil)
  }
}
