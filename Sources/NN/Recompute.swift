/// What backward computes again to save memory.
package enum Recompute: String, CaseIterable, Sendable {
  /// Activations only, from the convolutions' outputs that are kept.
  case none
  /// Every encoder and decoder stage, from its input (Chen et al., "Training Deep Nets with Sublinear
  /// Memory Cost", 2016): about a third more time.
  case blocks
}
