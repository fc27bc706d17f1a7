import Foundation

/// Whether two lists of paired values differ: Student's paired t-test and Wilcoxon's signed-rank
/// test, both two-sided, with the numbers of SciPy's `ttest_rel` and `wilcoxon`.
package struct PairedTest: Equatable, Sendable {
  /// How Wilcoxon's p was found.
  package enum Method: String, Equatable, Sendable {
    /// From all signs that the differences could have.
    case exact
    /// From the normal distribution, without continuity correction.
    case normal
  }

  /// The number of pairs.
  package let count: Int
  /// The means of both lists; NaN for no pair.
  package let means: [Double]
  /// The mean of second - first.
  package var difference: Double { means[1] - means[0] }
  /// The standard deviation of second - first (of n - 1); nil for fewer than two pairs.
  package let deviation: Double?
  /// Student's t of the differences and its p; nil where all differences are zero or fewer than two.
  package private(set) var student: (statistic: Double, p: Double)?
  /// The smaller of the rank sums of positive and negative differences, and its p; nil where all
  /// differences are zero.
  package private(set) var wilcoxon: (statistic: Double, p: Double, method: Method)?

  /// Tests two lists of as many finite values.
  package init(_ first: [Double], _ second: [Double]) {
    precondition(first.count == second.count, "\(first.count) values and \(second.count)")
    func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
    count = first.count
    means = [mean(first), mean(second)]
    let differences = zip(first, second).map { $1 - $0 }
    let average = mean(differences)
    let squares = differences.reduce(0) { $0 + ($1 - average) * ($1 - average) }
    deviation = count > 1 ? (squares / Double(count - 1)).squareRoot() : nil
    guard differences.contains(where: { $0 != 0 }) else { return }
    if let deviation {
      let statistic = average / (deviation / Double(count).squareRoot())
      let freedom = Double(count - 1)
      student = (statistic, StudentT.twoSided(statistic, degreesOfFreedom: freedom))
    }
    wilcoxon = SignedRanks(differences).test()
  }

  package static func == (a: PairedTest, b: PairedTest) -> Bool {
    func parts(_ test: PairedTest) -> [Double?] {
      [
        Double(test.count), test.means[0], test.means[1], test.deviation, test.student?.statistic,
        test.student?.p, test.wilcoxon?.statistic, test.wilcoxon?.p,
      ]
    }
    return parts(a) == parts(b) && a.wilcoxon?.method == b.wilcoxon?.method
  }
}

/// Wilcoxon's ranks of the differences that are not zero; equal ones share the mean of their ranks.
private struct SignedRanks {
  /// Twice each rank, which makes it whole.
  private let ranks: [Int]
  private let isPositive: [Bool]
  /// Sum of t^3 - t over groups of t equal ranks.
  private let ties: Double
  /// With those that are zero.
  private let all: Int

  init(_ differences: [Double]) {
    all = differences.count
    let sorted = differences.filter { $0 != 0 }.sorted { abs($0) < abs($1) }
    isPositive = sorted.map { $0 > 0 }
    var (ranks, ties) = ([Int](), 0.0)
    var first = 0
    while first < sorted.count {
      let last = sorted[first...].prefix { abs($0) == abs(sorted[first]) }.endIndex - 1
      let size = last - first + 1
      ranks += [Int](repeating: first + last + 2, count: size)
      ties += Double(size * size * size - size)
      first = last + 1
    }
    (self.ranks, self.ties) = (ranks, ties)
  }

  /// SciPy's choice: exact for at most 50 pairs without ties and zeros, and for at most 13 pairs.
  func test() -> (statistic: Double, p: Double, method: PairedTest.Method) {
    let positive = zip(ranks, isPositive).reduce(0) { $0 + ($1.1 ? $1.0 : 0) }
    let statistic = Double(min(positive, ranks.reduce(0, +) - positive)) / 2
    let isPlain = ties == 0 && ranks.count == all
    if all <= 13 || (isPlain && all <= 50) {
      return (statistic, exact(positive), .exact)
    }
    return (statistic, normal(positive), .normal)
  }

  /// Of all choices of signs the share, twice, with a sum at least as far to the side of `positive`.
  private func exact(_ positive: Int) -> Double {
    // Numbers of choices by sum, whole and below 2^50.
    var choices: [Double] = [1]
    for rank in ranks {
      let padding = [Double](repeating: 0, count: rank)
      choices = zip(choices + padding, padding + choices).map { $0 + $1 }
    }
    let total = choices.reduce(0, +)
    let below = choices[...positive].reduce(0, +)
    let above = choices[positive...].reduce(0, +)
    return min(1, 2 * min(below, above) / total)
  }

  private func normal(_ positive: Int) -> Double {
    let n = Double(ranks.count)
    let variance = (n * (n + 1) * (2 * n + 1) - ties / 2) / 24
    let z = (Double(positive) / 2 - n * (n + 1) / 4) / variance.squareRoot()
    return erfc(abs(z) / 2.0.squareRoot())
  }
}

/// Student's distribution.
enum StudentT {
  /// The chance of a |t| at least as large: the regularized incomplete beta function
  /// I_x(n / 2, 1 / 2) at x = n / (n + t^2) for n degrees of freedom.
  static func twoSided(_ t: Double, degreesOfFreedom n: Double) -> Double {
    guard t.isFinite else { return t.isNaN ? .nan : 0 }
    let total = n + t * t
    return incompleteBeta(n / total, t * t / total, n / 2, 0.5)
  }

  /// I_x(a, b), with y = 1 - x given as well so that neither end loses digits.
  private static func incompleteBeta(_ x: Double, _ y: Double, _ a: Double, _ b: Double) -> Double {
    guard x > 0 else { return 0 }
    guard y > 0 else { return 1 }
    let front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(y))
    // The fraction converges fast on this side of the mean only.
    return x < (a + 1) / (a + b + 2)
      ? front * fraction(x, a, b) / a : 1 - front * fraction(y, b, a) / b
  }

  /// The continued fraction of the incomplete beta function (DLMF 8.17.22) by Lentz's method.
  private static func fraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
    func bounded(_ value: Double) -> Double { abs(value) < 1e-300 ? 1e-300 : value }
    var c = 1.0
    var d = 1 / bounded(1 - (a + b) * x / (a + 1))
    var value = d
    for step in 1...10_000 {
      let m = Double(step)
      let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
      let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      var change = 1.0
      for term in [even, odd] {
        d = 1 / bounded(1 + term * d)
        c = bounded(1 + term / c)
        change = c * d
        value *= change
      }
      if abs(change - 1) < 1e-15 { break }
    }
    return value
  }
}
