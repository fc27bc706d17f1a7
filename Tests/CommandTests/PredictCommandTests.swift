import Foundation
import Imaging
import Tensors
import TestSupport
import Testing

/// `lkdist predict` as a user meets it, on a network of one step.
@Suite(.serialized) struct PredictCommandTests {
  private let data: TinyDataset
  private var run: String { data.folder.file("run") }
  private var checkpoint: String { run + "/checkpoints/last.safetensors" }
  private var output: String { data.folder.file("out") }

  init() throws {
    data = try TinyDataset()
    let result = try Command.lkdist(
      "train", data.configuration, "--output", run, "--max-steps", "1")
    #expect(result.code == 0, "\(result.errors)")
  }

  private func predict(_ input: String, _ more: String..., ranks: Int = 1) throws
    -> Command.Result
  {
    let words = ["predict", "--checkpoint", checkpoint, "-i", input, "-o", output] + more
    var all: [String] = []
    if ranks > 1 { all = ["/usr/bin/env", "mpirun", "-n", "\(ranks)", "--oversubscribe"] }
    all.append(Command.lkdist)
    all += words
    return try Command.run(all)
  }

  private func expect(
    _ result: Command.Result, code: Int32, _ parts: String...,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(result.code == code, "\(result.errors)", sourceLocation: sourceLocation)
    for part in parts {
      #expect(
        result.errors.contains(part), "\(part): \(result.errors)", sourceLocation: sourceLocation)
    }
  }

  private func files(_ folder: String) throws -> [String: Data] {
    var files: [String: Data] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: folder)
    where NIfTIFiles.isName(name) {
      files[name] = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)"))
    }
    return files
  }

  /// A subject of several windows along every axis, as a file of its own.
  private func writeLarge(_ extent: Extent = Extent(xyz: [30, 22, 41])) throws -> String {
    var stream = RandomStream(seed: 9, purpose: "large", patch: 0)
    let shape = Shape(channels: 1, extent: extent)
    let values: [Float] = (0..<shape.count).map { _ -> Float in Float(stream.normal()) + 20 }
    let grid = VoxelGrid(shape, values: values)
    let path = data.folder.file("large.nii.gz")
    try NIfTI.write(
      Volume(
        grid: grid,
        geometry: Geometry(extent: extent, affine: TinyDataset.geometry.affine)), to: path)
    return path
  }

  // MARK: - What it writes

  @Test func `probabilities come beside label maps and agree with them`() throws {
    let image = try writeLarge()
    let result = try predict(
      image, "--save-probabilities", "--mirror", "--checkpoint", checkpoint, "--overlap", "0.25",
      "--memory-limit", "4GiB")
    expect(result, code: 0, "wrote \(output)/large.nii.gz")
    let map = try NIfTI.readLabels(output + "/large.nii.gz")
    let probabilities = try NIfTI.readImage(output + "/probabilities/large.nii.gz")
    #expect(map.geometry == probabilities.geometry)
    #expect(probabilities.grid.shape.channels == 2)
    let (background, box) = (probabilities.grid.channel(0), probabilities.grid.channel(1))
    let sums: [Float] = zip(background, box).map { pair -> Float in pair.0 + pair.1 }
    #expect(sums.allSatisfy { (0.99999...1.00001).contains($0) })
    let likeliest = zip(background, box).map { pair -> Int16 in pair.0 < pair.1 ? 1 : 0 }
    #expect(likeliest == map.labels)
    #expect(Set(box).count > 1)
  }

  @Test(arguments: [2, 3])
  func `ranks that share windows or subjects write what one rank writes`(ranks: Int) throws {
    let image = try writeLarge()
    expect(try predict(image, "--mirror", "--save-probabilities"), code: 0)
    expect(try predict(data.path), code: 0)
    let (alone, probabilities) = (try files(output), try files(output + "/probabilities"))
    #expect(alone.count == 4 && probabilities.count == 1)
    try FileManager.default.removeItem(atPath: output)
    expect(try predict(image, "--mirror", "--save-probabilities", ranks: ranks), code: 0)
    expect(try predict(data.path, ranks: ranks), code: 0)
    #expect(try files(output) == alone)
    #expect(try files(output + "/probabilities") == probabilities)
  }

  @Test func `post-processing that the checkpoint carries is applied`() throws {
    let image = try writeLarge()
    expect(try predict(image), code: 0)
    let before = try NIfTI.readLabels(output + "/large.nii.gz")
    #expect(before.labels.contains(1))
    let trained = try Command.lkdist(
      "train", data.configuration, "--output", run, "--max-steps", "2", "--set",
      "postprocessing=[{class: box, minimumVoxels: 1000000}]")
    #expect(trained.code == 0, "\(trained.errors)")
    expect(try predict(image, "--overwrite"), code: 0)
    let after = try NIfTI.readLabels(output + "/large.nii.gz")
    #expect(after.labels.allSatisfy { $0 == 0 })
  }

  // MARK: - Bad input

  @Test func `an empty folder is told`() throws {
    let empty = try TemporaryFolder()
    expect(try predict(empty.path), code: 66, "holds no .nii or .nii.gz file to segment")
  }

  @Test(arguments: [1, 2])
  func `subjects that fail are listed at the end, and the others are done`(ranks: Int) throws {
    try Data("no image".utf8).write(to: URL(fileURLWithPath: data.image(1)))
    let folder = data.folder.file("imagesTr")
    let channels = "\(folder)/two_000"
    try FileManager.default.copyItem(atPath: data.image(0), toPath: channels + "0.nii.gz")
    try FileManager.default.copyItem(atPath: data.image(0), toPath: channels + "1.nii.gz")
    let result = try predict(folder, ranks: ranks)
    expect(
      result, code: 65, "2 of 4 subjects have no label map:", "case_1: \(data.image(1))",
      "two: \(channels)0.nii.gz, \(channels)1.nii.gz: 2 channels, but the checkpoint was trained "
        + "with 1")
    #expect(try files(output).keys.sorted() == ["case_0.nii.gz", "case_2.nii.gz"])
    // mpirun may show what ranks say in another order.
    guard ranks == 1 else { return }
    let list = try #require(result.errors.range(of: "2 of 4"))
    let wrote = try #require(result.errors.range(of: "wrote", options: .backwards))
    #expect(wrote.upperBound < list.lowerBound)
  }

  @Test func `images that a data set lists and are not there are listed, and the others are done`()
    throws
  {
    try FileManager.default.removeItem(atPath: data.image(1))
    try FileManager.default.removeItem(atPath: data.label(2))
    expect(
      try predict(data.path), code: 65, "1 of 3 subjects have no label map:",
      "case_1: \(data.image(1))")
    #expect(try files(output).keys.sorted() == ["case_0.nii.gz", "case_2.nii.gz"])
    for index in [0, 2] { try FileManager.default.removeItem(atPath: data.image(index)) }
    expect(try predict(data.path), code: 66, "3 files are missing")
  }

  @Test func `every rank is told of a volume that cannot be read`() throws {
    try Data("no image".utf8).write(to: URL(fileURLWithPath: data.image(1)))
    let result = try predict(data.image(1), ranks: 3)
    expect(result, code: 65, "case_1: \(data.image(1))")
    #expect(result.errors.components(separatedBy: "case_1: ").count == 2, "\(result.errors)")
  }

  @Test func `a label map that exists stays, and the others are made`() throws {
    try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
    try Data("mine".utf8).write(to: URL(fileURLWithPath: output + "/case_1.nii.gz"))
    expect(
      try predict(data.path), code: 74, "1 of 3 subjects", "case_1.nii.gz exists", "--overwrite")
    let made = try files(output)
    #expect(made.count == 3 && made["case_1.nii.gz"] == Data("mine".utf8))
    expect(try predict(data.path, "--overwrite"), code: 0)
    #expect(try files(output)["case_1.nii.gz"] != Data("mine".utf8))
  }

  @Test func `an image is never replaced by its label map`() throws {
    let before = try Data(contentsOf: URL(fileURLWithPath: data.image(0)))
    let result = try Command.lkdist(
      "predict", "--checkpoint", checkpoint, "-i", data.image(0), "-o",
      data.folder.file("imagesTr/../imagesTr"), "--overwrite")
    expect(result, code: 74, "is the image itself")
    #expect(try Data(contentsOf: URL(fileURLWithPath: data.image(0))) == before)
  }

  @Test func `a checkpoint that is cut short or has another checksum is named`() throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: checkpoint))
    try whole.dropLast(40).write(to: URL(fileURLWithPath: checkpoint))
    expect(try predict(data.image(0)), code: 74, "last.safetensors is damaged", "bytes of data")
    var wrong = whole
    wrong[wrong.count - 40] ^= 1
    try wrong.write(to: URL(fileURLWithPath: checkpoint))
    expect(try predict(data.image(0)), code: 74, "last.safetensors is damaged", "checksum")
    try FileManager.default.removeItem(atPath: checkpoint)
    expect(try predict(data.image(0), ranks: 2), code: 66, "no checkpoint at")
    #expect(!FileManager.default.fileExists(atPath: output))
  }

  @Test func `a limit that nothing fits in is refused with what is needed`() throws {
    expect(
      try predict(data.image(0), "--memory-limit", "20MiB"), code: 78, "--memory-limit",
      "at least", "MiB are needed")
    expect(try predict(data.image(0), "--memory-limit", "much"), code: 64, "--memory-limit")
    #expect(try files(output).isEmpty)
  }

  @Test func `a grid far from those of training is segmented, and that is said`() throws {
    let trained = try Command.lkdist(
      "train", data.configuration, "--output", run, "--resume", "never", "--max-steps", "1",
      "--set", "data.spacing=[2, 1.5, 1]")
    #expect(trained.code == 0, "\(trained.errors)")
    let near = try predict(data.image(0))
    expect(near, code: 0)
    #expect(!near.errors.contains("spacing"))
    var volume = try NIfTI.readImage(data.image(0))
    volume.geometry.affine = Affine(rows: [[0, -2, 0, 3], [1.5, 0, 0, -7], [0, 0, 5, 11]])
    let path = data.folder.file("thick.nii.gz")
    try NIfTI.write(volume, to: path)
    expect(
      try predict(path), code: 0, "warning: \(path): its spacing of 2.00 x 1.50 x 5.00 mm",
      "2.00 x 1.50 x 1.00 mm of training")
    #expect(try NIfTI.readLabels(output + "/thick.nii.gz").geometry.matches(volume.geometry))
  }

  @Test(
    .enabled(if: DiskFullTests.canMount, "needs mount in a name space"),
    arguments: ["--save-probabilities", "--save-attention"])
  func `a full disk leaves nothing half-written, and the rest goes on`(option: String) throws {
    try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
    let image = try writeLarge(Extent(xyz: [64, 64, 48]))
    let folder = data.folder.file("imagesTr")
    try FileManager.default.moveItem(atPath: image, toPath: folder + "/case_1.nii.gz.big")
    try FileManager.default.removeItem(atPath: data.image(1))
    try FileManager.default.moveItem(
      atPath: folder + "/case_1.nii.gz.big", toPath: data.image(1))
    let result = try Command.run([
      "unshare", "-rm", "bash", "-c",
      """
      mount -t tmpfs -o size=400k tmpfs \(output)
      \(Command.lkdist) predict --checkpoint \(checkpoint) -i \(folder) -o \(output) \(option)
      code=$?
      cd \(output)
      find . -type f
      exit $code
      """,
    ])
    let kind = String(option.dropFirst("--save-".count))
    expect(
      result, code: 74, "1 of 3 subjects", "case_1: \(output)/\(kind)/case_1",
      "No space left on device")
    let files = result.output.split(separator: "\n").sorted()
    let ends = kind == "attention" ? ["_scale0.nii.gz", "_scale0.png"] : [".nii.gz"]
    let expected = [0, 2].flatMap { index in
      ["./case_\(index).nii.gz"] + ends.map { "./\(kind)/case_\(index)\($0)" }
    }
    #expect(files.map(String.init) == expected.sorted(), "\(result.output)")
  }

  // MARK: - Tuning

  @Test func `tuning writes what helps into the run, where predict finds it`() throws {
    let trained = try Command.lkdist(
      "train", data.configuration, "--output", run, "--set", "training.epochs=1")
    #expect(trained.code == 0, "\(trained.errors)")
    let validation = run + "/validation/case_0.nii.gz"
    var labels = TinyDataset.labels
    (labels[0], labels[7 * 256 + 7 * 16 + 7]) = (1, 0)
    try NIfTI.write(LabelMap(labels: labels, geometry: TinyDataset.geometry), to: validation)
    let tuned = try Command.lkdist("tune-postprocessing", run)
    #expect(tuned.code == 0, "\(tuned.errors)")
    let kept = tuned.output.split(separator: "\n").filter { $0.hasSuffix("kept") }
    #expect(
      kept.count == 1 && kept[0].contains("largestComponent, fillHoles")
        && kept[0].contains("-> 1.0000"), "\(tuned.output)")
    let step = "{class: 1, largestComponent: true, fillHoles: true, minimumVoxels: 0}"
    #expect(try data.folder.text("run/lkdist.yaml").contains("postprocessing: [\(step)]"))
    let header = String(
      decoding: try Data(contentsOf: URL(fileURLWithPath: checkpoint)).prefix(20_000),
      as: UTF8.self)
    #expect(header.contains(#"largestComponent\": true"#))
    expect(try predict(data.image(0)), code: 0)
    let dryRun = try Command.lkdist("train", run + "/lkdist.yaml", "--dry-run")
    #expect(dryRun.code == 0, "\(dryRun.errors)")
  }

  @Test func `a run that was never validated cannot be tuned`() throws {
    let result = try Command.lkdist("tune-postprocessing", run)
    expect(result, code: 66, "validation/case_0.nii.gz", "let the run validate")
  }
}
