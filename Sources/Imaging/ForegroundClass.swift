import Tensors

/// Where the voxels of one foreground class are in a prepared volume: how many each slice holds;
/// ignored voxels are of none.
///
/// A list of all voxels would take memory that grows with the data set; this takes 4 bytes a slice,
/// and one slice is looked through to find a voxel.
package struct ForegroundClass: Codable, Hashable, Sendable {
  /// The label value, above 0.
  package let value: Int16
  /// The class's voxels in each slice along z.
  private var voxelsInSlice: [Int32]

  /// The number of the class's voxels, at least 1.
  package var voxels: Int { voxelsInSlice.reduce(0) { $0 + Int($1) } }

  /// The classes that are present among `labels`, ascending by value.
  package static func find(in labels: LabelGrid, of extent: Extent) -> [ForegroundClass] {
    var classes: [ForegroundClass] = []
    let slice = extent.height * extent.width
    var current = 0
    for (index, label) in labels.values.enumerated() where label > 0 {
      if classes.isEmpty || classes[current].value != label {
        current = classes.firstIndex { $0.value == label } ?? classes.count
      }
      if current == classes.count {
        classes.append(
          ForegroundClass(
            value: label, voxelsInSlice: [Int32](repeating: 0, count: extent.depth)))
      }
      classes[current].voxelsInSlice[index / slice] += 1
    }
    return classes.sorted { $0.value < $1.value }
  }

  /// The index, (z height + y) width + x, of the class's voxel `number` in ascending order.
  ///
  /// - Parameter number: 0 to below `voxels`.
  package func voxel(_ number: Int, in labels: LabelGrid) -> Int {
    var left = number
    var slice = 0
    while left >= Int(voxelsInSlice[slice]) {
      left -= Int(voxelsInSlice[slice])
      slice += 1
    }
    let values = labels.values
    var index = slice * (values.count / voxelsInSlice.count)
    while true {
      if values[index] == value {
        if left == 0 { return index }
        left -= 1
      }
      index += 1
    }
  }
}
