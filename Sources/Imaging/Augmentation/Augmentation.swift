import Tensors

/// The random changes of training patches; the same key always gives the same change.
///
/// Each transform draws from a stream of its own, so that adding one leaves the draws of the
/// others as they were.
package struct Augmentation: Equatable, Sendable {
  /// At most one of each kind but `mirror`, in the order they are applied.
  package let transforms: [Transform]

  /// One random change with its parameters, whose defaults are nnU-Net's for 3-D.
  package enum Transform: Hashable, Sendable {
    case rotation(Rotation)
    case scaling(Scaling)
    case elastic(Elastic)
    case biasField(BiasField)
    case noise(Noise)
    case blur(Blur)
    case brightness(Brightness)
    case contrast(Contrast)
    case lowResolution(LowResolution)
    case invertedGamma(Gamma)
    case gamma(Gamma)
    case mirror(Mirroring)
  }

  /// The kinds of transforms in the order they are applied; the first three in one resampling.
  package enum Kind: String, CaseIterable, Sendable {
    case rotation, scaling, elastic
    case biasField = "bias-field"
    case noise, blur, brightness, contrast
    case lowResolution = "low-resolution"
    case invertedGamma = "inverted-gamma"
    case gamma, mirror
  }

  /// A named set of transforms.
  package enum Preset: String, CaseIterable, Sendable {
    case none
    /// What costs next to nothing.
    case light
    /// nnU-Net's list for 3-D.
    case `default`

    /// The transforms of the preset.
    package var transforms: [Transform] {
      switch self {
      case .none: []
      case .light: [.noise(Noise()), .brightness(Brightness()), .mirror(Mirroring())]
      case .default:
        [
          .rotation(Rotation()), .scaling(Scaling()), .noise(Noise()), .blur(Blur()),
          .brightness(Brightness()), .contrast(Contrast()), .lowResolution(LowResolution()),
          .invertedGamma(Gamma(probability: 0.1)), .gamma(Gamma()), .mirror(Mirroring()),
        ]
      }
    }
  }

  /// Leaves every patch as it is.
  package static let none = Augmentation(preset: .none)

  /// A preset in which `transforms` replace those of the same kind, or are added.
  package init(preset: Preset, transforms: [Transform] = []) {
    let replaced = Set(transforms.map(\.kind))
    let kept = preset.transforms.filter { !replaced.contains($0.kind) }
    self.transforms = Kind.allCases.flatMap { kind in
      (kept + transforms).filter { $0.kind == kind }
    }
  }
}

extension Augmentation.Transform {
  /// Which of the changes it is.
  package var kind: Augmentation.Kind {
    switch self {
    case .rotation: .rotation
    case .scaling: .scaling
    case .elastic: .elastic
    case .biasField: .biasField
    case .noise: .noise
    case .blur: .blur
    case .brightness: .brightness
    case .contrast: .contrast
    case .lowResolution: .lowResolution
    case .invertedGamma: .invertedGamma
    case .gamma: .gamma
    case .mirror: .mirror
    }
  }
}

/// The key of a patch's random streams.
package struct PatchKey: Hashable, Sendable {
  package var seed: UInt64
  package var epoch: Int
  package var position: Int

  package init(seed: UInt64, epoch: Int, position: Int) {
    self.seed = seed
    self.epoch = epoch
    self.position = position
  }

  /// The patch's stream for one purpose.
  package func stream(_ purpose: String) -> RandomStream {
    RandomStream(seed: seed, purpose: purpose, epoch: epoch, patch: position)
  }
}

extension Augmentation {
  /// Where the patch at `window` is read if it is rotated, scaled or deformed; nil if it is not.
  ///
  /// - Parameter spacing: mm along x, y, z of the volume.
  package func spatialMap(
    for key: PatchKey, at window: PatchWindow, spacing: SIMD3<Double>
  ) -> SpatialMap? {
    var angles: SIMD3<Double>?
    var scale: Double?
    var field: ElasticField?
    for transform in transforms {
      var stream = key.stream(transform.kind.rawValue)
      switch transform {
      case .rotation(let rotation): angles = rotation.draw(&stream)
      case .scaling(let scaling): scale = scaling.draw(&stream)
      case .elastic(let elastic):
        field = elastic.draw(&stream, extent: window.extent, spacing: spacing)
      default: break
      }
    }
    guard angles != nil || scale != nil || field != nil else { return nil }
    return SpatialMap(
      window, angles: angles ?? .zero, scale: scale ?? 1, elastic: field, spacing: spacing)
  }

  /// Changes a patch that was cut: intensities, then mirroring.
  package func apply(to patch: inout Patch, key: PatchKey, pool: MemoryPool) {
    for transform in transforms {
      var stream = key.stream(transform.kind.rawValue)
      switch transform {
      case .rotation, .scaling, .elastic: break
      case .biasField(let field): field.apply(to: &patch.image, &stream)
      case .noise(let noise): noise.apply(to: &patch.image, &stream)
      case .blur(let blur): blur.apply(to: &patch.image, &stream, pool: pool)
      case .brightness(let brightness): brightness.apply(to: &patch.image, &stream)
      case .contrast(let contrast): contrast.apply(to: &patch.image, &stream)
      case .lowResolution(let low): low.apply(to: &patch.image, &stream, pool: pool)
      case .invertedGamma(let gamma):
        gamma.apply(to: &patch.image, &stream, isInverted: true)
      case .gamma(let gamma): gamma.apply(to: &patch.image, &stream, isInverted: false)
      case .mirror(let mirroring): Mirroring.reflect(&patch, along: mirroring.draw(&stream))
      }
    }
  }
}
