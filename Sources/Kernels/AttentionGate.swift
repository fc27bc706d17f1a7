import CKernels
import Tensors

/// The gate of large-kernel attention, y = u + sigmoid(a) u (Li et al. 2023, Eq. 7).
package enum AttentionGate {
  /// y = u + sigmoid(a) u.
  package static func forward(
    _ u: FeatureMap, gate a: FeatureMap, on compute: Compute
  ) -> FeatureMap {
    check(u, a)
    var y = FeatureMap(uninitialized: u.shape, from: compute.pool)
    let out = y.mutablePointer()
    ElementRuns.forEach(u.shape.count, on: compute) { start, count in
      lk_gate(u.pointer + start, a.pointer + start, count, out + start)
    }
    return y
  }

  /// du = dy (1 + sigmoid(a)), the direct part only, and da = dy u sigmoid'(a).
  package static func backward(
    _ dy: FeatureMap, _ u: FeatureMap, gate a: FeatureMap, on compute: Compute
  ) -> (du: FeatureMap, da: FeatureMap) {
    check(u, a)
    check(u, dy)
    var du = FeatureMap(uninitialized: u.shape, from: compute.pool)
    var da = FeatureMap(uninitialized: u.shape, from: compute.pool)
    let (duOut, daOut) = (du.mutablePointer(), da.mutablePointer())
    ElementRuns.forEach(u.shape.count, on: compute) { start, count in
      lk_gate_gradient(
        dy.pointer + start, u.pointer + start, a.pointer + start, count, duOut + start,
        daOut + start)
    }
    return (du, da)
  }

  private static func check(_ u: FeatureMap, _ other: FeatureMap) {
    precondition(u.shape == other.shape, "maps of \(u.shape) and \(other.shape)")
  }
}

/// Sums of feature maps.
package enum FeatureMapSum {
  /// map += other; the shapes are equal.
  package static func add(_ other: FeatureMap, to map: inout FeatureMap, on compute: Compute) {
    precondition(other.shape == map.shape, "a sum of \(map.shape) and \(other.shape)")
    let out = map.mutablePointer()
    ElementRuns.forEach(map.shape.count, on: compute) { start, count in
      lk_add(other.pointer + start, count, out + start)
    }
  }
}

/// Floats in runs of a size that is worth a thread's while.
private enum ElementRuns {
  static func forEach(
    _ count: Int, on compute: Compute, _ body: (_ start: Int, _ count: Int) -> Void
  ) {
    compute.team.forChunks(of: count, length: 1 << 16) { _, run in
      body(run.lowerBound, run.count)
    }
  }
}
