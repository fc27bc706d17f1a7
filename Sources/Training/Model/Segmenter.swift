import Collectives
import Imaging
import NN
import Tensors

/// Segments whole volumes with overlapping windows of the training patch size.
///
/// The rule is MONAI's `sliding_window_inference` with Gaussian weights: logits are averaged over
/// windows, then activated once; probabilities are averaged over networks and mirrorings.
package struct Segmenter {
  /// A network of an ensemble.
  package struct Member {
    package let model: LKUNet
    /// The size of its windows.
    package let patch: Extent
    fileprivate let importance: [Float]

    package init(model: LKUNet, patch: Extent) {
      self.model = model
      self.patch = patch
      importance = SlidingWindow.importance(patch)
    }
  }

  /// Planes of a prepared volume and their probabilities, `[O][planes][H][W]`, followed by a channel
  /// for each of `attention`.
  package typealias Taker = (_ planes: Range<Int>, _ probabilities: VoxelGrid) -> Void

  package let scheme: LabelScheme
  /// What is read of attention gates on the way.
  package let attention: [AttentionChannel]
  let compute: Compute
  private let members: [Member]
  private let mirrorings: [Set<Axis>]
  private let overlap: Double
  private let share: WindowShare

  /// - Parameters:
  ///   - overlap: the share of a window that its neighbor covers again, in 0..<1.
  ///   - mirrors: whether the mean is over the volume mirrored along all combinations of axes.
  ///   - attention: gates that every network has; what they say is averaged as probabilities are.
  ///   - share: the ranks that compute a volume's windows.
  package init(
    _ members: [Member], scheme: LabelScheme, overlap: Double = 0.5, mirrors: Bool = false,
    attention: [AttentionChannel] = [], share: WindowShare = .own, on compute: Compute
  ) {
    precondition(!members.isEmpty, "an ensemble of no network")
    self.members = members
    self.scheme = scheme
    self.attention = attention
    self.overlap = overlap
    self.share = share
    self.compute = compute
    mirrorings = mirrors ? Mirroring.combinations : [[]]
  }

  /// The number of times that a network is run for a volume of this size.
  package func windows(of extent: Extent) -> Int {
    mirrorings.count
      * members.reduce(0) {
        $0 + SlidingWindow.windows(extent: extent, patch: $1.patch, overlap: overlap).count
      }
  }

  /// Channels of what windows give and `take` gets.
  private var channels: Int { scheme.outputs + attention.count }

  /// What takes memory while a volume of this size is segmented.
  package func demand(of extent: Extent) -> BandDemand {
    BandDemand(
      extent: extent, channels: channels, passes: members.count * mirrorings.count,
      patchDepth: members.map(\.patch.depth).max() ?? 0)
  }

  /// Calls `take` on the root with the probabilities of each band of planes, ascending; they do not
  /// depend on how planes are put into bands. Collective where ranks share the windows.
  ///
  /// - Parameters:
  ///   - images: the volume as prepared for each member.
  ///   - bands: planes that are final together, ascending and without gaps.
  ///   - didWindow: is called after each window.
  package func segment(
    _ images: [VoxelGrid], bands: [Range<Int>], didWindow: () -> Void = {}, take: Taker
  ) throws(CommunicationError) {
    precondition(
      images.count == members.count, "\(images.count) images for \(members.count) networks")
    let extent = images[0].shape.extent
    let room = demand(of: extent).room(planes: bands.map(\.count).max() ?? 0)
    var passes = members.indices.flatMap { member in
      mirrorings.map { axes in
        Pass(
          member: member, axes: axes,
          sums: WindowSums(channels: channels, volume: extent, room: room))
      }
    }
    for band in bands {
      var mean: VoxelGrid?
      for index in passes.indices {
        let image = images[passes[index].member]
        try run(&passes[index], image, band, didWindow)
        guard share.isRoot else { continue }
        var part = passes[index].sums.finish(before: band.upperBound, on: compute)
        scheme.activate(&part, on: compute)
        if mean == nil { mean = part } else { mean?.add(part) }
      }
      if passes.count > 1 { mean?.scale(by: 1 / Float(passes.count)) }
      if let mean { take(band, mean) }
    }
  }

  /// One network over the volume as it is or mirrored.
  private struct Pass {
    let member: Int
    let axes: Set<Axis>
    var sums: WindowSums
  }

  /// Adds the windows that begin in a band.
  private func run(
    _ pass: inout Pass, _ image: VoxelGrid, _ band: Range<Int>, _ didWindow: () -> Void
  ) throws(CommunicationError) {
    let (member, volume) = (members[pass.member], image.shape.extent)
    let windows = SlidingWindow.windows(
      extent: volume, patch: member.patch, overlap: overlap, mirroredAlong: pass.axes
    ).filter { band.contains(max(0, $0.z)) }
    if share.isRoot {
      let reach = windows.map { $0.z + member.patch.depth }.max() ?? 0
      pass.sums.extend(to: min(volume.depth, max(band.upperBound, reach)))
    }
    let (axes, shape) = (pass.axes, Shape(channels: channels, extent: member.patch))
    try share.forEach(windows, shape: shape) { corner in
      infer(PatchWindow(corner: corner, extent: member.patch, volume: volume), image, member, axes)
    } take: { corner, output in
      pass.sums.add(output, weighted: member.importance, at: corner, on: compute)
      didWindow()
    }
  }

  /// The logits and attention of a window, of which the network sees the mirror image along `axes`.
  private func infer(
    _ window: PatchWindow, _ image: VoxelGrid, _ member: Member, _ axes: Set<Axis>
  ) -> VoxelGrid {
    var patch = window.cut(image, from: compute.pool)
    Mirroring.reflect(&patch, along: axes)
    var output = member.model.infer(patch, attention: attention, on: compute)
    Mirroring.reflect(&output, along: axes)
    return output
  }

  /// Runs every network once on nothing, so that the memory that it takes is taken.
  package func warmUp() {
    for member in members {
      let shape = Shape(channels: member.model.configuration.inputs, extent: member.patch)
      _ = member.model.infer(VoxelGrid(zeros: shape), attention: attention, on: compute)
    }
  }
}

extension Segmenter {
  /// The label map of a prepared subject on the subject's own grid, all in memory, by this rank alone.
  package func labelMap(of subject: PreparedSubject) throws(CommunicationError) -> LabelMap {
    try labelMap(of: subject, attention: nil)
  }

  /// The maps of `attention` in its order, made as `labelMap` is.
  ///
  /// - Throws: `inputOutput` where there is no room for the maps, or `CommunicationError`.
  package func attentionMaps(of subject: PreparedSubject) throws -> OwnGridVolume {
    let maps = try OwnGridVolume(
      channels: attention.count, geometry: subject.path.stored, in: nil)
    _ = try labelMap(of: subject, attention: maps)
    return maps
  }

  private func labelMap(
    of subject: PreparedSubject, attention: OwnGridVolume?
  ) throws(CommunicationError) -> LabelMap {
    var painter = LabelMapPainter(
      scheme, path: subject.path, attention: attention, on: compute)
    let images = members.map { _ in subject.image }
    try segment(images, bands: [0..<subject.extent.depth]) { painter.paint($0, $1) }
    return painter.finish()
  }
}

extension VoxelGrid {
  /// Adds the values of a grid of the same shape.
  fileprivate mutating func add(_ other: VoxelGrid) {
    let (sums, addends) = (mutableValues(), other.values)
    for index in sums.indices { sums[index] += addends[index] }
  }

  fileprivate mutating func scale(by factor: Float) {
    let values = mutableValues()
    for index in values.indices { values[index] *= factor }
  }
}
