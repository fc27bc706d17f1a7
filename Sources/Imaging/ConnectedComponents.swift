import Tensors

/// The connected parts of a mask.
package struct ConnectedComponents: Sendable {
  /// Which neighbors hang together.
  package enum Connectivity: Int, Sendable {
    /// The 6 that share a face.
    case faces = 6
    /// The 26 that share a face, an edge or a corner.
    case corners = 26
  }

  /// The component of each voxel, `[z][y][x]` with x contiguous: 0 outside the mask, else 1, 2, … in
  /// the order of their first voxels.
  package let labels: [Int32]
  /// The number of voxels of component 1, 2, …
  package let sizes: [Int]

  /// Labels a mask in time linear in its voxels: whole runs along x are joined.
  package init(of mask: Mask, connectivity: Connectivity) {
    var runs = Runs(of: mask)
    runs.join(connectivity)
    var numbers = [Int32](repeating: 0, count: runs.all.count)
    var labels = [Int32](repeating: 0, count: mask.inside.count)
    var sizes: [Int] = []
    for (index, run) in runs.all.enumerated() {
      let root = runs.root(of: index)
      if numbers[root] == 0 {
        sizes.append(0)
        numbers[root] = Int32(sizes.count)
      }
      sizes[Int(numbers[root]) - 1] += run.count
      for voxel in run { labels[voxel] = numbers[root] }
    }
    (self.labels, self.sizes) = (labels, sizes)
  }
}

/// The runs along x of a mask's voxels, and which of them hang together (union-find).
private struct Runs {
  /// The voxels of every run, ascending.
  private(set) var all: [Range<Int>] = []
  /// The runs of each row, `[z][y]`.
  private var ofRow: [Range<Int>] = []
  /// A run of the same component, at most its own index; a root's is itself.
  private var parents: [Int]
  private let extent: Extent

  init(of mask: Mask) {
    extent = mask.extent
    for start in stride(from: 0, to: mask.inside.count, by: max(1, extent.width)) {
      let first = all.count
      var open: Int?
      for voxel in start..<start + extent.width {
        if mask.inside[voxel] != 0 {
          open = open ?? voxel
        } else if let begin = open {
          all.append(begin..<voxel)
          open = nil
        }
      }
      if let begin = open { all.append(begin..<start + extent.width) }
      ofRow.append(first..<all.count)
    }
    parents = Array(all.indices)
  }

  mutating func join(_ connectivity: ConnectedComponents.Connectivity) {
    // Rows before this one; the others find it when their turn comes.
    let neighbors: [(z: Int, y: Int)] =
      switch connectivity {
      case .faces: [(0, -1), (-1, 0)]
      case .corners: [(0, -1), (-1, -1), (-1, 0), (-1, 1)]
      }
    let reach = connectivity == .corners ? 1 : 0
    for z in 0..<extent.depth {
      for y in 0..<extent.height {
        for neighbor in neighbors
        where z + neighbor.z >= 0 && (0..<extent.height).contains(y + neighbor.y) {
          join(rows: z * extent.height + y, neighbor.z * extent.height + neighbor.y, reach: reach)
        }
      }
    }
  }

  /// Joins the runs of a row with those of the row `offset` from it that lie beside them, or that
  /// begin or end `reach` voxels away.
  private mutating func join(rows row: Int, _ offset: Int, reach: Int) {
    let (own, other) = (ofRow[row], ofRow[row + offset])
    let shift = offset * extent.width
    var (i, j) = (own.lowerBound, other.lowerBound)
    while i < own.upperBound && j < other.upperBound {
      let (a, b) = (all[i], all[j])
      let (begin, end) = (b.lowerBound - shift, b.upperBound - shift)
      if a.lowerBound < end + reach && begin < a.upperBound + reach { union(i, j) }
      if a.upperBound < end { i += 1 } else { j += 1 }
    }
  }

  private mutating func union(_ a: Int, _ b: Int) {
    let (a, b) = (root(of: a), root(of: b))
    parents[max(a, b)] = min(a, b)
  }

  /// The first run of a run's component; halves the way there.
  mutating func root(of run: Int) -> Int {
    var run = run
    while parents[run] != run {
      parents[run] = parents[parents[run]]
      run = parents[run]
    }
    return run
  }
}
