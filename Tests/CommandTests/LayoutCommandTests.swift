import Foundation
import Imaging
import TestSupport
import Testing

/// From a folder as it was downloaded to label maps, through the commands.
@Suite(.serialized) struct LayoutCommandTests {
  private let files: LayoutFixtures
  private var configuration: String { files.folder.file("lkdist.yaml") }

  init() throws { files = try LayoutFixtures() }

  /// Trains two steps of a small network with the configuration that init wrote.
  private func train(_ more: String...) throws -> Command.Result {
    let small = [
      "model.channels=16", "model.maximumChannels=32", "training.epochs=1",
      "training.stepsPerEpoch=2", "augmentation.preset=light",
    ]
    let words = [Command.lkdist, "train", configuration, "--output", files.folder.file("run")]
    return try Command.run(words + (small + more).flatMap { ["--set", $0] })
  }

  private func predict(_ input: String) throws -> Command.Result {
    try Command.lkdist(
      "predict", "--checkpoint", files.folder.file("run/checkpoints/best.safetensors"), "-i", input,
      "-o", files.folder.file("predictions"))
  }

  private var predictions: [String] {
    get throws {
      try FileManager.default.contentsOfDirectory(atPath: files.folder.file("predictions")).sorted()
    }
  }

  private func initialize(_ data: String) throws -> Command.Result {
    try Command.lkdist("init", data, "-o", configuration)
  }

  @Test func `nnU-Net data with regions trains, scores and predicts its test images`() throws {
    let data = try files.writeNNUNet([1, 2, 3], tests: [9], labels: LayoutFixtures.regions)
    let proposal = try initialize(data)
    #expect(proposal.code == 0, "\(proposal.errors)")
    #expect(proposal.output.contains("layout nnunet: \(data)/dataset.json has the key file_ending"))
    #expect(proposal.output.contains("regions: whole = 1 + 2 + 4, inner = 1 + 4, core = 4"))
    let trained = try train()
    #expect(trained.code == 0, "\(trained.errors)")
    let metrics = try files.folder.text("run/metrics.jsonl")
    #expect(metrics.contains(#""dice": {"whole": "#) && metrics.contains(#""core": "#))
    let log = try files.folder.text("run/train.log")
    #expect(log.contains("of 4 subjects 2 to train and 1 to validate"))
    let predicted = try predict(data)
    #expect(predicted.code == 0, "\(predicted.errors)")
    #expect(try predictions == ["case_9.nii.gz"])
    let map = try NIfTI.readLabels(files.folder.file("predictions/case_9.nii.gz"))
    #expect(Set(map.labels).isSubset(of: [0, 1, 2, 4]))
    let scores = try Command.lkdist(
      "evaluate", files.folder.file("run/validation"), "\(data)/labelsTr", "--labels",
      "\(data)/dataset.json", "--json")
    #expect(scores.code == 0, "\(scores.errors)")
    #expect(scores.output.contains(#""whole" : {"#))
  }

  @Test func `BraTS data trains with three outputs and predicts the cases without seg`() throws {
    let data = try files.writeBraTS([1, 2, 355], tests: [7])
    let odd = "\(data)/BraTS20_Training_355/"
    try FileManager.default.moveItem(
      atPath: odd + "BraTS20_Training_355_seg.nii", toPath: odd + "W39_1998.09.19_Segm.nii")
    #expect(try initialize(data).code == 0)
    let trained = try train()
    #expect(trained.code == 0, "\(trained.errors)")
    let log = try files.folder.text("run/train.log")
    #expect(log.contains("channels T1, T1ce, T2, FLAIR"))
    #expect(log.contains("W39_1998.09.19_Segm.nii is taken for the label map"))
    #expect(try files.folder.text("run/metrics.jsonl").contains(#""dice": {"ET": "#))
    let predicted = try predict(data)
    #expect(predicted.code == 0, "\(predicted.errors)")
    #expect(try predictions == ["BraTS20_Validation_007.nii.gz"])
  }

  @Test func `a datalist trains on its own folds`() throws {
    let data = try files.writeDatalist([1, 2, 3, 4], folds: 2)
    #expect(try initialize(data).code == 0)
    #expect(try String(contentsOfFile: configuration, encoding: .utf8).contains(#""label 4": 4"#))
    let trained = try train("data.fold=1")
    #expect(trained.code == 0, "\(trained.errors)")
    let validated = try FileManager.default.contentsOfDirectory(
      atPath: files.folder.file("run/validation")
    ).sorted()
    #expect(validated == ["case_1.nii.gz", "case_3.nii.gz"])
    let predicted = try predict(data)
    #expect(predicted.code == 0, "\(predicted.errors)")
    #expect(try predictions.count == 4)
  }

  @Test func `CT-ORG trains on cases from 21 on and predicts the others`() throws {
    let files = try LayoutFixtures(channels: 1)
    let data = try files.writeCTORG([5, 21, 22, 23])
    let output = files.folder.file("lkdist.yaml")
    #expect(try Command.lkdist("init", "--preset", "ct-org", data, "-o", output).code == 0)
    let trained = try Command.lkdist(
      "train", output, "--output", files.folder.file("run"), "--max-steps", "2", "--set",
      "data.patchSize=[16, 16, 16]", "--set", "model.scales=3", "--set", "model.channels=16",
      "--set", "data.spacing=null", "--set", "training.epochs=1")
    #expect(trained.code == 0, "\(trained.errors)")
    #expect(try files.folder.text("run/train.log").contains("of 4 subjects 3 to train"))
    let predicted = try Command.lkdist(
      "predict", "--checkpoint", files.folder.file("run/checkpoints/last.safetensors"), "-i", data,
      "-o", files.folder.file("predictions"))
    #expect(predicted.code == 0, "\(predicted.errors)")
    let scores = try Command.lkdist(
      "evaluate", files.folder.file("predictions"), data, "--labels", data, "--exclude", "brain")
    #expect(scores.code == 0, "\(scores.errors)")
    #expect(scores.output.contains("volume-5") && scores.output.contains("2 bladder"))
    #expect(!scores.output.contains("brain"))
  }

  @Test func `a preset without data names the folder to unpack to`() throws {
    let result = try Command.lkdist("init", "--preset", "brats2020", "-o", configuration)
    #expect(result.code == 0, "\(result.errors)")
    let text = try String(contentsOfFile: configuration, encoding: .utf8)
    #expect(text.contains("patchSize: [160, 192, 128]") && text.contains("kind: dice-bce"))
    #expect(text.contains("/MICCAI_BraTS2020_TrainingData"))
    #expect(try Command.lkdist("init", "-o", configuration).code == 64)
    #expect(try Command.lkdist("init", "--preset", "brats", "-o", configuration).code == 64)
  }

  @Test func `folders and lists that cannot be used end with the code of their kind`() throws {
    func expect(_ data: String, _ code: Int32, _ text: String) throws {
      let result = try initialize(data)
      #expect(result.code == code && result.errors.contains(text), "\(result.errors)")
    }
    try expect(files.folder.path, 66, "holds no data set that lkdist knows")
    try expect("/nowhere", 66, "/nowhere: no such data set")
    let brats = try files.writeBraTS([1], in: "both/brats")
    _ = try files.writeCTORG([30], in: "both/organs")
    try expect(files.folder.file("both"), 78, "can be read in several ways")
    try FileManager.default.removeItem(
      atPath: brats + "/BraTS20_Training_001/BraTS20_Training_001_seg.nii")
    try expect(brats, 66, "BraTS20_Training_001_seg.nii")
    try files.write("{", to: "bad/dataset.json")
    try expect(files.folder.file("bad"), 65, "not valid JSON")
    let nnunet = try files.writeNNUNet([1], labels: #""labels": {"a": 1}"#)
    try expect(nnunet, 65, "labels need 0 (background)")
  }
}
