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

  /// Turns `dy` into du = dy (1 + sigmoid(a)), the direct part only, and `a` into da = dy u sigmoid'(a),
  /// both in their own memory.
  package static func backward(
    _ dy: inout FeatureMap, _ u: FeatureMap, gate a: inout FeatureMap, on compute: Compute
  ) {
    check(u, a)
    check(u, dy)
    let (gradient, gate) = (dy.mutablePointer(), a.mutablePointer())
    ElementRuns.forEach(u.shape.count, on: compute) { start, count in
      lk_gate_gradient(
        gradient + start, u.pointer + start, gate + start, count, gradient + start, gate + start)
    }
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
