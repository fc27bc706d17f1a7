import Foundation

/// JSON files, with errors that name the file, the key and, where known, the line.
enum JSONFile {
  /// Reads a value of a JSON file.
  ///
  /// - Throws: `missing`, `inputOutput`, or `badData` for text that is not what it should be.
  static func read<Value: Decodable>(_: Value.Type, from path: String) throws(ImagingError) -> Value
  {
    guard FileManager.default.fileExists(atPath: path) else {
      throw .missing("\(path): no such file")
    }
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw .inputOutput("\(path) cannot be read: \(error.localizedDescription)")
    }
    do { return try JSONDecoder().decode(Value.self, from: data) } catch {
      throw .badData("\(path): \(explanation(of: error, data))")
    }
  }

  private static func explanation(of error: any Error, _ data: Data) -> String {
    switch error as? DecodingError {
    case .keyNotFound(let key, let context):
      "key \"\(name(context.codingPath + [key]))\" is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      "key \"\(name(context.codingPath))\": \(context.debugDescription)"
    case .dataCorrupted(let context):
      context.codingPath.isEmpty
        ? "this is not valid JSON: \(syntaxError(data) ?? context.debugDescription)"
        : "key \"\(name(context.codingPath))\": \(context.debugDescription)"
    default: "\(error)"
    }
  }

  /// What is wrong in a text that is no JSON, with its line; `JSONDecoder` keeps that to itself.
  private static func syntaxError(_ data: Data) -> String? {
    do {
      _ = try JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed)
      return nil
    } catch {
      guard let text = (error as NSError).userInfo["NSDebugDescription"] as? String else {
        return nil
      }
      guard let offset = text.dropLast().split(separator: " ").last.flatMap({ Int($0) }) else {
        return text
      }
      let line = data.prefix(offset).count { $0 == UInt8(ascii: "\n") } + 1
      return "\(text.dropLast()) (line \(line))"
    }
  }

  private static func name(_ path: [any CodingKey]) -> String {
    path.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
  }
}
