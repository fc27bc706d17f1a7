/// What backward computes again to save memory.
package enum Recompute: String, CaseIterable, Sendable {
  /// Activations only, from the convolutions' outputs that are kept.
  case none
  /// Every encoder and decoder stage but the finest decoder's, from its input (Chen et al., "Training
  /// Deep Nets with Sublinear Memory Cost", 2016): about a quarter more time.
  case blocks
}
