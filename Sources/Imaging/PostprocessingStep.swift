import Tensors

/// What is done to the voxels of one class or region of a predicted label map.
package struct PostprocessingStep: Hashable, Sendable {
  /// The labels that belong to the class or region.
  package var values: [Int16]
  /// The label that voxels become which are added to it.
  package var painted: Int16
  /// The label that voxels become which are taken from it: that of the next region below, such as
  /// non-enhancing core (1) for BraTS's enhancing tumor, or background.
  package var below: Int16
  /// Whether all but the largest 26-connected component are taken away.
  package var keepsLargestComponent: Bool
  /// Whether voxels that it encloses (from which no path over faces leads to the volume's edge) are
  /// added, whatever their label.
  package var fillsHoles: Bool
  /// The number of voxels below which all of it is taken away; it is counted last.
  package var minimumVoxels: Int

  package init(
    values: [Int16], painted: Int16, below: Int16 = 0, keepsLargestComponent: Bool = false,
    fillsHoles: Bool = false, minimumVoxels: Int = 0
  ) {
    self.values = values
    self.painted = painted
    self.below = below
    self.keepsLargestComponent = keepsLargestComponent
    self.fillsHoles = fillsHoles
    self.minimumVoxels = minimumVoxels
  }

  /// Changes `map`; holds 6 bytes a voxel meanwhile.
  package func apply(to map: inout LabelMap) {
    if keepsLargestComponent { keepLargestComponent(of: &map) }
    if fillsHoles { fillHoles(of: &map) }
    if minimumVoxels > 0 {
      let mask = Mask(of: values, in: map)
      if mask.count < minimumVoxels { remove(from: &map) { mask.inside[$0] != 0 } }
    }
  }

  /// Of components of one size the first stays.
  private func keepLargestComponent(of map: inout LabelMap) {
    let components = ConnectedComponents(of: Mask(of: values, in: map), connectivity: .corners)
    guard components.sizes.count > 1, let most = components.sizes.max(),
      let largest = components.sizes.firstIndex(of: most)
    else { return }
    remove(from: &map) {
      components.labels[$0] != 0 && components.labels[$0] != Int32(largest + 1)
    }
  }

  private func remove(from map: inout LabelMap, where isWrong: (_ voxel: Int) -> Bool) {
    for voxel in map.labels.indices where isWrong(voxel) { map.labels[voxel] = below }
  }

  private func fillHoles(of map: inout LabelMap) {
    let mask = Mask(of: values, in: map)
    let outside = Mask(inside: mask.inside.map { 1 - $0 }, extent: mask.extent)
    let components = ConnectedComponents(of: outside, connectivity: .faces)
    var isOpen = [Bool](repeating: false, count: components.sizes.count + 1)
    mask.extent.forEachEdgeVoxel { isOpen[Int(components.labels[$0])] = true }
    // The mask's own voxels, of component 0, are no hole.
    isOpen[0] = true
    guard isOpen.contains(false) else { return }
    for voxel in map.labels.indices where !isOpen[Int(components.labels[voxel])] {
      map.labels[voxel] = painted
    }
  }
}

extension Extent {
  /// Calls `body` with the index of every voxel on the outer faces, some more than once.
  fileprivate func forEachEdgeVoxel(_ body: (Int) -> Void) {
    for z in 0..<depth {
      for y in 0..<height {
        let row = (z * height + y) * width
        if z == 0 || z == depth - 1 || y == 0 || y == height - 1 {
          for x in 0..<width { body(row + x) }
        } else if width > 0 {
          body(row)
          body(row + width - 1)
        }
      }
    }
  }
}
