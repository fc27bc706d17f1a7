import Foundation
import Imaging
import Tensors
import Testing

@Suite struct BadFileTests {
  /// The message for a good header whose bytes from `offset` are replaced.
  private func message(_ offset: Int, _ bytes: [UInt8]) throws -> String {
    var file = try ImagingFixtures.bytes("plain.nii")
    file.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    return try message(file)
  }

  private func message(_ file: [UInt8], _ name: String = "bad.nii") throws -> String {
    var text = ""
    try ImagingFixtures.withFolder { folder in
      let path = "\(folder)/\(name)"
      try Data(file).write(to: URL(fileURLWithPath: path))
      text = ImagingTests.message { _ = try NIfTI.readImage(path) }
      #expect(text.contains(path), "\(text) does not name the file")
    }
    return text
  }

  private func shorts(_ values: [Int16]) -> [UInt8] {
    values.flatMap { withUnsafeBytes(of: $0.littleEndian, Array.init) }
  }

  private func floats(_ values: [Float]) -> [UInt8] {
    values.flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init) }
  }

  @Test func `an absent file is missing and a folder is no file`() {
    let absent = ImagingTests.message { _ = try NIfTI.readImage("/nowhere/a.nii.gz") }
    #expect(absent == "missing: /nowhere/a.nii.gz: no such file")
    let folder = ImagingTests.message { _ = try NIfTI.readImage("/tmp") }
    #expect(folder == "inputOutput: /tmp is a folder, not a NIfTI file")
  }

  @Test func `other formats are told apart`() throws {
    #expect(try message([]).hasSuffix("is empty; copy it again"))
    #expect(try message(Array(repeating: 65, count: 400)).contains("not a NIfTI-1 file"))
    #expect(try message(Array(repeating: 65, count: 40)).contains("truncated"))
    #expect(try message(344, Array("ni1".utf8)).contains(".hdr/.img"))
    #expect(try message(344, Array("abc".utf8)).contains("not a NIfTI-1 file"))
    #expect(try message(0, [0x1C, 2, 0, 0]).contains("NIfTI-2"))
  }

  @Test func `sizes that cannot be are refused before any allocation`() throws {
    #expect(try message(40, shorts([0])).contains("dim[0] is 0"))
    #expect(try message(40, shorts([9])).contains("dim[0] is 9"))
    #expect(try message(42, shorts([-5])).contains("at least 1"))
    #expect(try message(42, shorts([5, 0])).contains("at least 1"))
    #expect(try message(40, shorts([5, 5, 4, 3, 2, 2])).contains("x, y, z and channels only"))
    let huge = shorts([4, 32767, 32767, 32767, 32767])
    #expect(try message(40, huge).contains("truncated"))
    var file = try ImagingFixtures.bytes("plain.nii")
    file.replaceSubrange(40..<50, with: huge)
    #expect(try message(file, "bad.nii.gz").contains("truncated"))
  }

  @Test(arguments: [0, 1, 32, 128, 1536, 1792, 2048, 2304, 77])
  func `voxels that are no plain numbers are refused`(code: Int16) throws {
    #expect(try message(70, shorts([code])).contains("datatype \(code) is not a plain number"))
  }

  @Test func `bits must fit the type`() throws {
    #expect(try message(72, shorts([8])).contains("bitpix is 8, but int16 has 16 bits"))
  }

  @Test func `spacing must be positive and finite`() throws {
    for value in [0, -1, Float.nan, .infinity] {
      #expect(try message(84, floats([value])).contains("each must be positive and finite"))
    }
  }

  @Test func `a singular or non-finite affine is refused`() throws {
    #expect(try message(280, floats(Array(repeating: 0, count: 12))).contains("sform is singular"))
    let flat: [Float] = [1, 2, 0, 0, 2, 4, 0, 0, 0, 0, 1, 0]
    #expect(try message(280, floats(flat)).contains("sform is singular"))
    #expect(try message(292, floats([Float.nan])).contains("sform holds NaN or infinity"))
  }

  @Test func `data that starts nowhere is refused`() throws {
    for offset in [Float.nan, -1, 100, 1e30] {
      #expect(try message(108, floats([offset])).contains("vox_offset"))
    }
    #expect(try message(108, floats([Float(4000)])).contains("truncated"))
  }

  @Test func `an infinite intercept is refused`() throws {
    #expect(try message(112, floats([Float(2), .infinity])).contains("scl_inter"))
  }

  @Test func `a file that ends early is truncated`() throws {
    let plain = try ImagingFixtures.bytes("plain.nii")
    #expect(try message(Array(plain.dropLast())).contains("truncated"))
    let packed = try ImagingFixtures.bytes("types/float64_little.nii.gz")
    for count in [1, 4, 8, 9, 60, packed.count - 20] {
      let text = try message(Array(packed.dropLast(count)), "bad.nii.gz")
      #expect(text.hasPrefix("badData") && text.contains("truncated"), "\(count): \(text)")
    }
  }

  @Test func `a flipped bit in compressed data is seen`() throws {
    let packed = try ImagingFixtures.bytes("types/float64_little.nii.gz")
    for index in packed.count - 40..<packed.count {
      var file = packed
      file[index] ^= 16
      #expect(try message(file, "bad.nii.gz").hasPrefix("badData"), "byte \(index)")
    }
  }

  @Test func `NaN and infinite voxels are counted`() throws {
    try ImagingFixtures.withFolder { folder in
      let path = "\(folder)/nan.nii.gz"
      let shape = Shape(channels: 1, extent: Extent(xyz: [2, 2, 1]))
      let grid = VoxelGrid(shape, values: [0, .nan, -.infinity, 1])
      let geometry = Geometry(extent: shape.extent, affine: Affine(spacing: [1, 1, 1]))
      try NIfTI.write(Volume(grid: grid, geometry: geometry), to: path)
      let text = ImagingTests.message { _ = try NIfTI.readImage(path) }
      #expect(text.hasPrefix("badData: \(path): 2 of 4 voxels are NaN or infinite"))
      let volume = try NIfTI.readImage(path, allowsNonFinite: true)
      #expect(values(of: volume.grid)[3] == 1)
    }
  }

  @Test func `no header makes reading fail in another way`() throws {
    let good = try ImagingFixtures.bytes("plain.nii")
    var random = RandomStream(seed: 3, purpose: "headers")
    try ImagingFixtures.withFolder { folder in
      for round in 0..<1500 {
        var file = good
        for _ in 0...random.integer(below: 4) {
          let field = [40, 42, 44, 46, 48, 70, 72, 76, 80, 84, 88, 108, 112, 116, 252, 254, 280]
          let start = random.integer(below: 2) == 0 ? field[random.integer(below: field.count)] : 0
          let offset = start == 0 ? random.integer(below: 352) : start
          file[offset] = UInt8(random.integer(below: 256))
          file[offset + 1] = UInt8(random.integer(below: 256))
        }
        let path = "\(folder)/\(round).nii\(round % 2 == 0 ? "" : ".gz")"
        try Data(file).write(to: URL(fileURLWithPath: path))
        do throws(ImagingError) { _ = try NIfTI.readImage(path) } catch {
          #expect(error.description.contains(path))
        }
        do throws(ImagingError) { _ = try NIfTI.readLabels(path) } catch {
          #expect(error.description.contains(path))
        }
      }
    }
  }
}
