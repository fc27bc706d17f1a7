import Foundation

/// One value of a JSON file with the way to it, so that errors name the file and the key.
struct JSONFile {
  let json: JSON
  /// The file, as the user named it.
  let file: String
  /// The keys from the file's top to the value, such as `training.[3].label`; empty at the top.
  let path: String

  /// Reads a whole file.
  ///
  /// - Throws: `missing`, `inputOutput`, or `badData` with the line for text that is not JSON.
  init(_ file: String) throws(ImagingError) {
    guard FileManager.default.fileExists(atPath: file) else {
      throw .missing("\(file): no such file")
    }
    var bytes: [UInt8]
    do { bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: file))) } catch {
      throw .inputOutput("\(file) cannot be read: \(error.localizedDescription)")
    }
    // Editors of other systems put a byte-order mark before the text.
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
    do throws(JSONError) { json = try JSON.parse(bytes) } catch {
      let line = bytes.prefix(error.offset).count { $0 == UInt8(ascii: "\n") } + 1
      throw .badData("\(file): this is not valid JSON: \(error.reason) (line \(line))")
    }
    (self.file, path) = (file, "")
  }

  private init(_ json: JSON, file: String, path: String) {
    (self.json, self.file, self.path) = (json, file, path)
  }

  /// The value of a key of this object; nil where it is absent or null.
  subscript(key: String) -> JSONFile? {
    guard let value = json[key], value != .null else { return nil }
    return below(value, key)
  }

  /// The value of a key that must be there.
  ///
  /// - Throws: `badData` naming the key.
  func value(_ key: String) throws(ImagingError) -> JSONFile {
    guard case .object = json else { throw expected("an object") }
    guard let value = self[key] else {
      throw .badData("\(file): key \"\(below(.null, key).path)\" is missing")
    }
    return value
  }

  /// The keys and values of an object in the order of the file.
  var members: [(key: String, value: JSONFile)] {
    get throws(ImagingError) {
      guard case .object(let members) = json else { throw expected("an object") }
      return members.map { ($0.key, below($0.value, $0.key)) }
    }
  }

  /// The elements of a list.
  var elements: [JSONFile] {
    get throws(ImagingError) {
      guard let values = json.array else { throw expected("a list") }
      return values.enumerated().map { below($1, "[\($0)]") }
    }
  }

  var string: String {
    get throws(ImagingError) {
      guard let string = json.string else { throw expected("a text in quotes") }
      return string
    }
  }

  var integer: Int {
    get throws(ImagingError) {
      guard let integer = json.integer else { throw expected("a whole number") }
      return integer
    }
  }

  /// An error at this value.
  func error(_ reason: String) -> ImagingError {
    .badData(path.isEmpty ? "\(file): \(reason)" : "\(file): key \"\(path)\": \(reason)")
  }

  private func expected(_ what: String) -> ImagingError {
    let text = json.text
    return error("expected \(what), found \(text.count > 40 ? text.prefix(40) + "…" : text)")
  }

  private func below(_ value: JSON, _ key: String) -> JSONFile {
    JSONFile(value, file: file, path: path.isEmpty ? key : "\(path).\(key)")
  }
}
