import Files
import Foundation
import Tensors

/// A NIfTI file made to be mapped: its voxels begin on a cache line, and what NIfTI has no field for
/// is JSON text in a header extension, which other programs pass over.
struct PreparedFile {
  /// What the extension holds.
  struct Note<Contents: Codable>: Codable {
    /// What the file was made from; another key is another file.
    var key: String
    var contents: Contents
  }

  let header: NIfTIHeader
  let file: MappedFile

  /// The voxels; valid while `file` lives.
  var voxels: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: file.bytes[header.dataOffset...])
  }

  /// Maps a file of voxels of `type`; nil for none, or one that is damaged or something else.
  init?(_ path: String, of type: VoxelType) {
    guard let file = try? MappedFile(path), file.bytes.count > NIfTIHeader.size + Self.noteStart,
      let header = try? NIfTIHeader(
        Array(file.bytes.prefix(NIfTIHeader.size)), path: path, fileSize: file.bytes.count),
      header.type == type, !header.isSwapped, header.dataOffset % Self.alignment == 0,
      header.dataOffset + header.geometry.extent.voxels * header.channels * type.bytes
        == file.bytes.count
    else { return nil }
    self.header = header
    self.file = file
  }

  /// The extension's contents; nil if they are not of this kind or of another key.
  func note<Contents: Codable>(_: Contents.Type, key: String) -> Contents? {
    let start = NIfTIHeader.size + Self.noteStart
    guard start < header.dataOffset else { return nil }
    let text = file.bytes[start..<header.dataOffset].prefix { $0 != 0 }
    let note = try? JSONDecoder().decode(Note<Contents>.self, from: Data(text))
    return note?.key == key ? note?.contents : nil
  }

  /// From the header's end to the note: 4 bytes that say that an extension follows, its size, its
  /// kind.
  private static let noteStart = 12
  private static let alignment = 64
  /// NIFTI_ECODE_COMMENT, plain text.
  private static let comment: Int32 = 6

  /// Writes a file that is complete or not there.
  ///
  /// - Parameter isShared: whether other processes may write the same file now.
  /// - Throws: `inputOutput` that says what to do about it.
  static func write(
    _ voxels: UnsafeRawBufferPointer, of type: VoxelType, channels: Int = 1, on geometry: Geometry,
    note: Note<some Codable>, to path: String, isShared: Bool
  ) throws(ImagingError) {
    var bytes = try NIfTI.header(geometry, channels: channels, type: type, path: path)
    let text = (try? JSONEncoder().encode(note)) ?? Data()
    let end = (NIfTIHeader.size + noteStart + text.count + 1 + alignment - 1) / alignment
    let dataOffset = end * alignment
    bytes.replaceSubrange(108..<112, with: withUnsafeBytes(of: Float(dataOffset), Array.init))
    bytes[NIfTIHeader.size] = 1
    for number in [Int32(dataOffset - NIfTIHeader.size - 4), comment] {
      bytes += withUnsafeBytes(of: number, Array.init)
    }
    bytes += text + [UInt8](repeating: 0, count: dataOffset - bytes.count - text.count)
    do throws(FileError) {
      try AtomicFile.write(path, isShared: isShared) { file throws(FileError) in
        try file.write(bytes)
        try file.write(voxels)
      }
    } catch {
      throw failure(path, error, bytes: dataOffset + voxels.count)
    }
  }

  private static func failure(_ path: String, _ error: FileError, bytes: Int) -> ImagingError {
    let free = FileSystem.freeBytes(at: Paths.folder(of: path)).map { free in
      " (\(mebibytes(bytes)) are needed, \(mebibytes(free)) are free there)"
    }
    return .inputOutput(
      "\(path) cannot be written: \(error.reason)\(error.isFull ? free ?? "" : ""); make room, or "
        + "choose another folder for prepared volumes by data.cacheFolder, or none by data.cache: "
        + "none")
  }

  private static func mebibytes(_ bytes: Int) -> String {
    String(format: "%.1f MiB", Double(bytes) / 0x1p20)
  }
}
