import Foundation
import Imaging
import Tensors
import TestSupport
import Testing

@Suite struct AugmentCommandTests {
  @Test func `augment writes patches on their grid and a sheet`() throws {
    let data = try TinyDataset()
    let output = data.folder.file("samples")
    func augment(_ more: String...) throws -> Command.Result {
      try Command.run([Command.lkdist, "augment", data.configuration, "-o", output] + more)
    }
    let result = try augment("-n", "3")
    #expect(result.code == 0, "\(result.errors)")
    let names = try FileManager.default.contentsOfDirectory(atPath: output).sorted()
    #expect(names.count == 7 && names.contains("sheet.png"))
    let labels = names.filter { $0.hasSuffix("_label.nii.gz") }
    for name in labels {
      let map = try NIfTI.readLabels("\(output)/\(name)")
      #expect(Set(map.labels).isSubset(of: [0, 1]))
      #expect(map.geometry.extent == TinyDataset.extent)
      let image = try NIfTI.readImage("\(output)/\(name.replacing("_label", with: ""))")
      #expect(image.geometry.matches(map.geometry))
    }
    #expect(labels.count == 3)
    let sheet = try [UInt8](Data(contentsOf: URL(fileURLWithPath: output + "/sheet.png")))
    #expect(sheet.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]))
    func size(at byte: Int) -> Int { sheet[byte..<byte + 4].reduce(0) { $0 << 8 | Int($1) } }
    #expect(size(at: 16) == 6 * 128 + 7 * 4)
    #expect(size(at: 20) == 3 * 132 + 4)
    let again = try augment("-n", "1")
    #expect(again.code == 74 && again.errors.contains("--overwrite"))
    #expect(try augment("-n", "1", "--overwrite").code == 0)
    #expect(try augment("-n", "0").code == 64)
  }
}
