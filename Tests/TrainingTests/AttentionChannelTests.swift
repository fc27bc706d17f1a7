import Imaging
import Kernels
import NN
import Tensors
import TestSupport
import Testing

import Training

/// Attention maps of whole volumes.
@Suite struct AttentionChannelTests {
  private let compute = Compute(threads: 2)
  private let readouts: [AttentionReadout] = [.attention, .channel(20)]

  private let scheme = LabelScheme(
    of: Dataset(
      name: "two", channelNames: ["MRI"],
      labels: [0, 1].map { DatasetLabel(value: $0, name: "\($0)") }, subjects: []), loss: .diceCE)

  /// A network of three scales with attention at the two finest.
  private func model(seed: UInt64 = 3) throws -> LKUNet {
    try LKUNet(
      ModelConfiguration(
        inputs: 1, outputs: 2, attention: ModelConfiguration.full(scales: 3), channels: 16,
        maximumChannels: 32, scales: 3), on: compute, seed: seed)
  }

  private func segmenter(_ models: [LKUNet], patch: Extent, mirrors: Bool = false) -> Segmenter {
    Segmenter(
      models.map { Segmenter.Member(model: $0, patch: patch) }, scheme: scheme, mirrors: mirrors,
      attention: models[0].configuration.attentionChannels(readouts), on: compute)
  }

  private func subject(_ extent: Extent) throws -> PreparedSubject {
    var stream = RandomStream(seed: 1, purpose: "image")
    let shape = Shape(channels: 1, extent: extent)
    let values = (0..<shape.count).map { _ in Float(stream.normal()) }
    // Stored from left to right reversed, so that maps must be turned back.
    let stored = Geometry(
      extent: extent, affine: Affine(rows: [[-1, 0, 0, 5], [0, 1, 0, 0], [0, 0, 1, 0]]))
    let axes = try AxisMapping(from: stored.affine, to: "RAS")
    let path = PreparationPath(
      stored: stored, axes: axes, crop: VoxelBox(lower: [0, 0, 0], extent: extent),
      prepared: axes.reoriented(stored))
    return PreparedSubject(
      identifier: "a", image: VoxelGrid(shape, values: values), labels: nil, path: path)
  }

  /// What the gates say of one window, mirrored along `axes` and back, coarsest first.
  private func seen(
    _ model: LKUNet, _ image: VoxelGrid, along axes: Set<Axis> = []
  ) -> [[Float]] {
    let extent = image.shape.extent
    var maps: [[Float]] = []
    model.inspectAttention = { [compute, readouts] scale, seen in
      for readout in readouts where readout.exists(amongChannels: seen.gate.shape.channels) {
        let grid = readout.values(seen.input, gate: seen.gate, on: compute)
        let values = Resampling.linear(
          Array(grid.values), from: grid.shape.extent, to: extent, smoothing: false)
        var fine = VoxelGrid(Shape(channels: 1, extent: extent), values: values)
        Mirroring.reflect(&fine, along: axes)
        maps.append(Array(fine.values))
      }
    }
    defer { model.inspectAttention = nil }
    var mirrored = image
    Mirroring.reflect(&mirrored, along: axes)
    _ = model.infer(mirrored)
    return maps
  }

  private func mean(_ all: [[[Float]]]) -> [[Float]] {
    all[0].indices.map { map in
      all[0][map].indices.map { voxel in
        all.reduce(0) { $0 + $1[map][voxel] } / Float(all.count)
      }
    }
  }

  private func expect(
    _ maps: OwnGridVolume, are expected: [[Float]], width: Int,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(maps.channels == expected.count, sourceLocation: sourceLocation)
    for (index, values) in expected.enumerated() {
      let own = Array(maps.volume(index).grid.values)
      let turned = stride(from: 0, to: own.count, by: width).flatMap {
        own[$0..<$0 + width].reversed()
      }
      let largest = zip(turned, values).map { abs($0 - $1) }.max() ?? 1
      #expect(largest < 1e-5, "map \(index): \(largest)", sourceLocation: sourceLocation)
      #expect(own.allSatisfy { (0...1).contains($0) }, sourceLocation: sourceLocation)
      #expect(Set(own).count > 10, sourceLocation: sourceLocation)
    }
  }

  @Test func `a volume of one window shows the gates' maps on its own grid`() throws {
    let extent = Extent(depth: 8, height: 8, width: 16)
    let (model, subject) = (try model(), try subject(extent))
    let segmenter = segmenter([model], patch: extent)
    // The finest gate has 16 channels.
    #expect(segmenter.attention.map(\.name) == ["scale1", "scale1_channel20", "scale0"])
    let maps = try segmenter.attentionMaps(of: subject)
    expect(maps, are: seen(model, subject.image), width: 16)
    #expect(maps.volume(0).geometry == subject.path.stored)
    #expect(model.inspectAttention == nil)
  }

  @Test func `mirrored maps are turned back before they are averaged`() throws {
    let extent = Extent(depth: 8, height: 8, width: 16)
    let (model, subject) = (try model(), try subject(extent))
    let maps = try segmenter([model], patch: extent, mirrors: true).attentionMaps(of: subject)
    let all = Mirroring.combinations.map { seen(model, subject.image, along: $0) }
    expect(maps, are: mean(all), width: 16)
  }

  @Test func `an ensemble's map is the mean of its members'`() throws {
    let extent = Extent(depth: 8, height: 8, width: 16)
    let (models, subject) = ([try model(), try model(seed: 4)], try subject(extent))
    let maps = try segmenter(models, patch: extent).attentionMaps(of: subject)
    expect(maps, are: mean(models.map { seen($0, subject.image) }), width: 16)
  }

  @Test(arguments: [false, true])
  func `bands give the maps of the whole volume, and no map changes a label, to the bit`(
    mirrors: Bool
  ) throws {
    let extent = Extent(depth: 29, height: 11, width: 24)
    let patch = Extent(depth: 8, height: 8, width: 12)
    let (models, subject) = ([try model(), try model(seed: 4)], try subject(extent))
    let segmenter = segmenter(models, patch: patch, mirrors: mirrors)
    let plain = Segmenter(
      models.map { Segmenter.Member(model: $0, patch: patch) }, scheme: scheme, mirrors: mirrors,
      on: compute)
    let labels = try plain.labelMap(of: subject).labels
    #expect(Set(labels).count == 2)
    let whole = try segmenter.attentionMaps(of: subject)
    for planes in [1, 7, 29] {
      let maps = try OwnGridVolume(
        channels: whole.channels, geometry: subject.path.stored, in: nil)
      var painter = LabelMapPainter(scheme, path: subject.path, attention: maps, on: compute)
      let bands = segmenter.demand(of: extent).bands(of: planes)
      try segmenter.segment([subject.image, subject.image], bands: bands) { painter.paint($0, $1) }
      #expect(painter.finish().labels == labels, "bands of \(planes)")
      for channel in 0..<whole.channels {
        let (one, other) = (whole.volume(channel).grid, maps.volume(channel).grid)
        #expect(one.values.elementsEqual(other.values), "bands of \(planes)")
        #expect(other.values.allSatisfy { $0 > 0 && $0 < 1 })
      }
    }
  }
}
