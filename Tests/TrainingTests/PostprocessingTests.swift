import Imaging
import NN
import Tensors
import TestSupport
import Testing

import Training

/// Post-processing from the configuration, and in checkpoints.
@Suite struct PostprocessingTests {
  private let brats = Dataset(
    name: "BraTS", channelNames: ["T1"],
    labels: [0, 1, 2, 4].map { DatasetLabel(value: $0, name: "l\($0)") },
    regions: [
      Region(name: "ET", values: [4], painted: 4, layer: 2),
      Region(name: "TC", values: [1, 4], painted: 1, layer: 1),
      Region(name: "WT", values: [1, 2, 4], painted: 2, layer: 0),
    ], subjects: [])

  private func steps(_ yaml: String, _ dataset: Dataset) throws -> [PostprocessingStep] {
    try Configuration.parse("postprocessing: \(yaml)")
      .postprocessingSteps(for: LabelScheme(of: dataset, loss: .diceBCE))
  }

  @Test func `what is taken from a region becomes the next one below`() throws {
    #expect(
      try steps("[{class: ET, minimumVoxels: 200}, {class: WT, fillHoles: true}]", brats) == [
        PostprocessingStep(values: [4], painted: 4, below: 1, minimumVoxels: 200),
        PostprocessingStep(values: [1, 2, 4], painted: 2, below: 0, fillsHoles: true),
      ])
    #expect(try steps("[{class: TC}]", brats)[0].below == 2)
  }

  @Test func `a class is found by value or name, and becomes background`() throws {
    var dataset = brats
    dataset.regions = []
    let expected = [
      PostprocessingStep(values: [4], painted: 4, below: 0, keepsLargestComponent: true)
    ]
    #expect(try steps("[{class: 4, largestComponent: true}]", dataset) == expected)
    #expect(try steps("[{class: l4, largestComponent: true}]", dataset) == expected)
  }

  @Test func `an unknown class is refused with the known ones`() throws {
    let error = #expect(throws: TrainingError.self) { try steps("[{class: 4}]", brats) }
    #expect(
      error?.description
        == "postprocessing[0].class: no class or region '4'; there are ET, TC, WT")
  }

  @Test func `post-processing is written as it is read`() throws {
    let text = "postprocessing: [{class: 1, fillHoles: true}, {class: ET, minimumVoxels: 5}]"
    let configuration = try Configuration.parse(text)
    #expect(configuration.postprocessing.map(\.target) == ["1", "ET"])
    #expect(configuration.postprocessing.map(\.minimumVoxels) == [0, 5])
    #expect(try Configuration.parse(configuration.commented()) == configuration)
    #expect(configuration.commented().contains("{class: 1, largestComponent: false"))
  }

  @Test func `a checkpoint gets other post-processing and keeps everything else`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("best.safetensors")
    let buffer = FloatBuffer(zeros: 30)
    for index in 0..<30 { buffer.slice.mutableValues[index] = Float(index) }
    let tensors = [
      NamedTensor(name: "a", shape: [2, 5], values: buffer.slice.slice(0..<10)),
      NamedTensor(name: "b", shape: [20], values: buffer.slice.slice(10..<30)),
    ]
    let before = CheckpointMetadata(
      state: CheckpointState(step: 7, epoch: 1, ranks: 2, seed: 3),
      configuration: try Configuration.parse("", folder: "/"),
      labels: .array([]))
    try Checkpoint.write(to: path, weights: tensors, metadata: before)
    var setting = Configuration.Postprocessing("1")
    setting.largestComponent = true
    try Checkpoint(path).setPostprocessing([setting])
    var expected = before
    expected.configuration.postprocessing = [setting]
    let checkpoint = try Checkpoint(path)
    try checkpoint.verify()
    #expect(try checkpoint.metadata() == expected)
    let read = FloatBuffer(zeros: 30)
    try checkpoint.load(
      weights: [
        NamedTensor(name: "a", shape: [2, 5], values: read.slice.slice(0..<10)),
        NamedTensor(name: "b", shape: [20], values: read.slice.slice(10..<30)),
      ])
    #expect(Array(read.slice.values) == Array(buffer.slice.values))
    #expect(folder.names == ["best.safetensors"])
  }
}
