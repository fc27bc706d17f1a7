import Foundation

/// What the system says of a subject's files: enough to notice one that changed, without reading it.
///
/// Our choice: sizes and times, not contents, for hashing a data set costs as much as reading it.
/// Another file of the same size and time of change is not noticed.
package struct SourceIdentity: Codable, Hashable, Sendable {
  /// Bytes of each file, images first; -1 for one that is not there.
  private var sizes: [Int] = []
  /// Nanoseconds since 1970 of each file's last change.
  private var times: [Int] = []

  /// Looks at the files of `subject` as they are now.
  package init(of subject: Subject) {
    for path in subject.files {
      var status = stat()
      let isThere = stat(path, &status) == 0
      sizes.append(isThere ? Int(status.st_size) : -1)
      times.append(
        isThere ? Int(status.st_mtim.tv_sec) * 1_000_000_000 + Int(status.st_mtim.tv_nsec) : 0)
    }
  }

  /// The index of the first file that differs in `other`.
  func firstDifference(from other: SourceIdentity) -> Int? {
    sizes.indices.first { sizes[$0] != other.sizes[$0] || times[$0] != other.times[$0] }
  }
}
