import Foundation
import Imaging
import Tensors
import Testing

/// Files that scripts/make-imaging-fixtures.py made, and throw-away folders.
enum ImagingFixtures {
  static func path(_ name: String) throws -> String {
    let folder = try #require(Bundle.module.resourceURL)
    return folder.appendingPathComponent("Fixtures/imaging/\(name)").path
  }

  static func json<Value: Decodable>(_ type: Value.Type, _ name: String) throws -> Value {
    let data = try Data(contentsOf: URL(fileURLWithPath: path(name)))
    return try JSONDecoder().decode(type, from: data)
  }

  static func bytes(_ name: String) throws -> [UInt8] {
    try [UInt8](Data(contentsOf: URL(fileURLWithPath: path(name))))
  }

  /// Runs `body` with a folder that is removed afterwards.
  static func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("lkdist-imaging-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.path)
  }
}

/// The message of the `ImagingError` that `body` throws; the kind as its first word.
func message(of body: () throws -> Void) -> String {
  do { try body() } catch let error as ImagingError {
    let kind =
      switch error {
      case .missing: "missing"
      case .badData: "badData"
      case .inputOutput: "inputOutput"
      case .configuration: "configuration"
      }
    return "\(kind): \(error)"
  } catch { return "\(error)" }
  return "nothing was thrown"
}

/// The largest difference between two lists of the same length.
func largestDifference(_ a: some Collection<Float>, _ b: [Double]) -> Double {
  #expect(a.count == b.count)
  return zip(a, b).map { abs(Double($0) - $1) }.max() ?? 0
}

/// The largest difference between the entries of two affines.
func largestDifference(_ a: Affine, _ rows: [[Double]]) -> Double {
  zip(a.rows.joined(), rows.joined()).map { abs($0 - $1) }.max() ?? 0
}

/// A copy of a grid's values; the grid lives while it is made.
func values(of grid: VoxelGrid) -> [Float] { Array(grid.values) }
