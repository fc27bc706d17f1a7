import Imaging
import NN
import Tensors
import TestSupport
import Testing

import Training

/// Whole volumes by windows: bands, mirrors and ensembles.
@Suite struct SegmenterTests {
  private let compute = Compute(threads: 2)
  private let patch = Extent(xyz: [16, 8, 12])

  private func scheme(_ loss: Loss) -> LabelScheme {
    LabelScheme(
      of: Dataset(
        name: "s", channelNames: ["MRI"],
        labels: [
          DatasetLabel(value: 0, name: "background"), DatasetLabel(value: 2, name: "a"),
          DatasetLabel(value: 4, name: "b"),
        ], subjects: []), loss: loss)
  }

  private func member(_ seed: UInt64, _ patch: Extent? = nil, _ loss: Loss = .diceCE) throws
    -> Segmenter.Member
  {
    let configuration = ModelConfiguration(
      inputs: 1, outputs: scheme(loss).outputs, attention: [], channels: 16, maximumChannels: 16,
      scales: 2)
    let model = try LKUNet(configuration, on: compute, seed: seed)
    // As it is drawn, the network hardly tells one voxel from another.
    for value in model.parameters.namedHead { value.mutableValues.forEachIndex { $0 * 20 } }
    return Segmenter.Member(model: model, patch: patch ?? self.patch)
  }

  private func image(_ extent: Extent) -> VoxelGrid {
    var stream = RandomStream(seed: 3, purpose: "image", patch: 0)
    let shape = Shape(channels: 1, extent: extent)
    let values: [Float] = (0..<shape.count).map { _ -> Float in Float(stream.normal()) }
    return VoxelGrid(shape, values: values)
  }

  /// A way back that turns, crops and resamples every axis.
  private func path(_ prepared: Extent) -> PreparationPath {
    let crop = VoxelBox(lower: [2, 1, 3], extent: Extent(xyz: [19, 30, 53]))
    return PreparationPath(
      stored: Geometry(extent: Extent(xyz: [60, 21, 33]), affine: Affine(spacing: [1, 1, 1])),
      axes: AxisMapping(source: [1, 2, 0], isFlipped: [false, true, true]), crop: crop,
      prepared: Geometry(extent: prepared, affine: Affine(spacing: [1, 1, 1])))
  }

  /// The probabilities of all planes, put together from the bands.
  private func probabilities(
    _ segmenter: Segmenter, _ images: [VoxelGrid], bands: [Range<Int>]
  ) throws -> [[Float]] {
    var channels = [[Float]](repeating: [], count: segmenter.scheme.outputs)
    var next = 0
    try segmenter.segment(images, bands: bands) { planes, grid in
      #expect(planes.lowerBound == next && grid.shape.extent.depth == planes.count)
      next = planes.upperBound
      for channel in channels.indices { channels[channel] += grid.channel(channel) }
    }
    return channels
  }

  private func bands(_ depth: Int, of planes: Int) -> [Range<Int>] {
    stride(from: 0, to: depth, by: planes).map { $0..<min(depth, $0 + planes) }
  }

  @Test(arguments: [Loss.diceCE, .diceBCE])
  func `bands give the label map and probabilities of the whole volume, to the bit`(
    loss: Loss
  ) throws {
    let extent = Extent(xyz: [21, 17, 41])
    let segmenter = Segmenter(
      [try member(1, nil, loss), try member(2, Extent(xyz: [8, 24, 20]), loss)],
      scheme: scheme(loss), mirrors: true, on: compute)
    let images = [image(extent), image(extent)]
    func result(_ bands: [Range<Int>], inFile: Bool) throws -> (LabelMap, [UInt8]) {
      let folder = try TemporaryFolder()
      let volume = try OwnGridVolume(
        channels: segmenter.scheme.outputs, geometry: path(extent).stored,
        in: inFile ? folder.path : nil)
      var painter = LabelMapPainter(
        segmenter.scheme, path: path(extent), probabilities: volume, on: compute)
      try segmenter.segment(images, bands: bands) { painter.paint($0, $1) }
      try volume.write(to: folder.file("p.nii"))
      return (painter.finish(), try folder.bytes("p.nii"))
    }
    let (map, values) = try result([0..<41], inFile: false)
    #expect(Set(map.labels).count > 1)
    for planes in [1, 7, 20, 40] {
      let (other, otherValues) = try result(bands(41, of: planes), inFile: planes != 7)
      #expect(other.labels == map.labels, "bands of \(planes)")
      #expect(otherValues == values, "bands of \(planes)")
    }
  }

  @Test(arguments: [Extent(xyz: [21, 17, 41]), Extent(xyz: [10, 7, 9])])
  func `bands of a single pass give the probabilities of the whole volume, to the bit`(
    extent: Extent
  ) throws {
    let segmenter = Segmenter([try member(1)], scheme: scheme(.diceCE), on: compute)
    let whole = try probabilities(segmenter, [image(extent)], bands: [0..<extent.depth])
    for planes in [1, 4, 12, 30] {
      let bands = bands(extent.depth, of: planes)
      let other = try probabilities(segmenter, [image(extent)], bands: bands)
      #expect(other == whole, "bands of \(planes)")
    }
  }

  @Test func `a label map by planes is that of whole channels`() throws {
    let extent = Extent(xyz: [21, 17, 41])
    let segmenter = Segmenter([try member(1)], scheme: scheme(.diceCE), on: compute)
    let path = path(extent)
    var painter = LabelMapPainter(segmenter.scheme, path: path, on: compute)
    let images = [image(extent)]
    try segmenter.segment(images, bands: bands(41, of: 9)) { painter.paint($0, $1) }
    let own = try probabilities(segmenter, images, bands: [0..<41]).map {
      Resampling.linear($0, from: extent, to: path.crop.extent, smoothing: false)
    }
    let labels = own[0].indices.map { voxel -> Int16 in
      var best = 0
      for output in 1..<3 where own[output][voxel] > own[best][voxel] { best = output }
      return Int16(2 * best)
    }
    var expected = [Int16](repeating: 0, count: path.stored.extent.voxels)
    expected.withUnsafeMutableBufferPointer { expected in
      labels.withUnsafeBufferPointer {
        path.axes.scatter($0, path.crop, into: expected, path.stored.extent)
      }
    }
    #expect(painter.finish().labels == expected)
    #expect(Set(expected).count > 1)
  }

  @Test func `mirroring is the mean over the eight mirror images`() throws {
    let extent = Extent(xyz: [21, 7, 30])
    let member = try member(1)
    func segment(_ image: VoxelGrid, mirrors: Bool = false) throws -> [VoxelGrid] {
      let segmenter = Segmenter([member], scheme: scheme(.diceCE), mirrors: mirrors, on: compute)
      return try probabilities(segmenter, [image], bands: [0..<30]).map {
        VoxelGrid(Shape(channels: 1, extent: extent), values: $0)
      }
    }
    var means = [[Double]](repeating: [Double](repeating: 0, count: extent.voxels), count: 3)
    for axes in Mirroring.combinations {
      var mirrored = image(extent)
      Mirroring.reflect(&mirrored, along: axes)
      for (channel, grid) in try segment(mirrored).enumerated() {
        var grid = grid
        Mirroring.reflect(&grid, along: axes)
        for (voxel, value) in grid.values.enumerated() {
          let eighth: Double = Double(value) / 8
          means[channel][voxel] += eighth
        }
      }
    }
    let mirrored = try segment(image(extent), mirrors: true)
    var largest = 0.0
    for channel in 0..<3 {
      for (mean, value) in zip(means[channel], mirrored[channel].values) {
        largest = max(largest, abs(mean - Double(value)))
      }
    }
    #expect(largest < 1e-4, "\(largest)")
    let plain = try segment(image(extent))
    let differs = zip(plain[1].values, mirrored[1].values).contains { abs($0 - $1) > 0.01 }
    #expect(differs)
  }

  @Test func `an ensemble is the mean of its members' probabilities`() throws {
    let extent = Extent(xyz: [20, 12, 14])
    let members = [try member(1), try member(2)]
    func segment(_ members: [Segmenter.Member]) throws -> [Float] {
      let segmenter = Segmenter(members, scheme: scheme(.diceCE), on: compute)
      return try probabilities(segmenter, members.map { _ in image(extent) }, bands: [0..<14])[2]
    }
    let (both, first, second) = (
      try segment(members), try segment([members[0]]), try segment([members[1]])
    )
    for (mean, pair) in zip(both, zip(first, second)) {
      let expected: Float = (pair.0 + pair.1) / 2
      let error: Float = abs(mean - expected)
      #expect(error < 1e-6)
    }
  }

  @Test func `less memory makes more bands, down to a thinnest`() throws {
    let demand = BandDemand(
      extent: Extent(xyz: [100, 100, 400]), channels: 3, passes: 8, patchDepth: 64)
    #expect(demand.planes(within: nil) == 400)
    #expect(demand.planes(within: .max) == 400)
    var last = 400
    for limit in stride(from: demand.bytes(planes: 400), to: 0, by: -1 << 22) {
      guard let planes = demand.planes(within: limit) else {
        let least: Int = demand.bytes(planes: demand.thinnest)
        #expect(limit < least)
        break
      }
      #expect(planes <= last && demand.bytes(planes: planes) <= limit)
      let bands = demand.bands(of: planes)
      #expect(bands.first?.lowerBound == 0 && bands.last?.upperBound == 400)
      last = planes
    }
    #expect(last < 40)
  }
}

extension ParameterStore {
  /// The finest head's weights.
  fileprivate var namedHead: [FloatSlice] {
    parameters.filter { $0.name == "head.0.weight" }.map {
      FloatSlice(buffer: values, offset: $0.offset, count: $0.count)
    }
  }
}

extension UnsafeMutableBufferPointer<Float> {
  fileprivate func forEachIndex(_ change: (Float) -> Float) {
    for index in indices { self[index] = change(self[index]) }
  }
}
