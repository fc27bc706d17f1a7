/// The sum of arrays in the balanced binary tree over their places, written out: the root's halves are
/// the places below and from half the next power of two; a half without arrays is left out.
package func treeSum(_ leaves: [[Float]]) -> [Float] {
  var width = 1
  while width < leaves.count { width *= 2 }
  return branch(of: leaves, from: 0, width: width) ?? []
}

private func branch(of leaves: [[Float]], from first: Int, width: Int) -> [Float]? {
  guard first < leaves.count else { return nil }
  guard width > 1 else { return leaves[first] }
  let left = branch(of: leaves, from: first, width: width / 2)
  let right = branch(of: leaves, from: first + width / 2, width: width / 2)
  guard let left, let right else { return left }
  return zip(left, right).map { $0 + $1 }
}
