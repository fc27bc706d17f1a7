import Tensors

/// Adds Gaussian noise of one random variance to all channels.
package struct Noise: Hashable, Sendable {
  package var probability: Double
  /// In squared units of the normalized intensities.
  package var variance: ClosedRange<Double>

  package init(probability: Double = 0.1, variance: ClosedRange<Double> = 0...0.1) {
    self.probability = probability
    self.variance = variance
  }

  func apply(to image: inout VoxelGrid, _ stream: inout RandomStream) {
    guard stream.uniform() < probability else { return }
    let deviation = Float(stream.uniform(in: variance).squareRoot())
    var normal = NormalStream(&stream)
    image.mutableValues().transform { $0 + normal.next() * deviation }
  }
}
