extension Metrics {
  /// The percentile of the square roots of `squares` (at least one), with linear interpolation
  /// between order statistics as numpy's default; reorders `squares`.
  static func rootPercentile(of squares: inout [Double], _ percent: Double) -> Double {
    precondition(!squares.isEmpty, "a percentile of no values")
    let position = percent / 100 * Double(squares.count - 1)
    let index = Int(position)
    let lower = select(index, in: &squares)
    // Selection leaves everything after `index` at least as large.
    let upper = squares[(index + 1)...].min() ?? lower
    let (a, b, t) = (lower.squareRoot(), upper.squareRoot(), position - Double(index))
    return t < 0.5 ? a + (b - a) * t : b - (b - a) * (1 - t)
  }

  /// The value that sorting would put at `index`; smaller ones end before it, larger ones after.
  private static func select(_ index: Int, in values: inout [Double]) -> Double {
    var (low, high) = (0, values.count - 1)
    while low < high {
      let pivot = values[low + (high - low) / 2]
      var (i, j) = (low, high)
      while i <= j {
        while values[i] < pivot { i += 1 }
        while values[j] > pivot { j -= 1 }
        if i <= j {
          values.swapAt(i, j)
          i += 1
          j -= 1
        }
      }
      if index <= j { high = j } else if index >= i { low = i } else { break }
    }
    return values[index]
  }
}
