import Tensors

/// How well two masks agree lesion by lesion; a lesion is a 26-connected component.
package struct LesionScores: Equatable, Sendable {
  /// The mean over reference lesions of the Dice of each with all predicted lesions that touch it,
  /// and 0 for each predicted lesion that touches none: BraTS 2023's, without its dilation.
  package let dice: Double
  /// 2 TP / (2 TP + FP + FN): TP reference lesions that a predicted one touches, FN the others, FP
  /// predicted lesions that touch none, as in ISLES 2022.
  package let f1: Double

  /// Compares the lesions of two masks of one grid; 1 and 1 where there are none at all.
  package init(_ prediction: Mask, _ reference: Mask) {
    let predicted = ConnectedComponents(of: prediction, connectivity: .corners)
    let expected = ConnectedComponents(of: reference, connectivity: .corners)
    var common = [Int](repeating: 0, count: expected.sizes.count)
    var touches = Set<SIMD2<Int32>>()
    var last = SIMD2<Int32>(0, 0)
    for (lesion, other) in zip(expected.labels, predicted.labels) where lesion != 0 && other != 0 {
      common[Int(lesion) - 1] += 1
      let pair = SIMD2(lesion, other)
      if pair != last { touches.insert(pair) }
      last = pair
    }
    var touching = [Int](repeating: 0, count: expected.sizes.count)
    for pair in touches { touching[Int(pair[0]) - 1] += predicted.sizes[Int(pair[1]) - 1] }
    let found = common.count { $0 > 0 }
    let wrong = predicted.sizes.count - Set(touches.map { $0[1] }).count
    let all = expected.sizes.count + wrong
    let overlaps = expected.sizes.indices.map {
      2 * Double(common[$0]) / Double(expected.sizes[$0] + touching[$0])
    }
    dice = all == 0 ? 1 : overlaps.reduce(0, +) / Double(all)
    // TP + FN are the reference lesions.
    f1 = all == 0 ? 1 : 2 * Double(found) / Double(found + all)
  }
}
