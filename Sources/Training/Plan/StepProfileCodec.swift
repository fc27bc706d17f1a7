/// How the step of a patch is written: by `lkdist bench step --simulation`, and in the input of
/// `lkdist simulate`.
extension StepProfile {
  /// The profile as JSON on one line, which is also YAML.
  package var json: JSON { Codec.stepProfile.write(self) }
}

extension Codec where Value == StepProfile {
  static var stepProfile: Codec {
    let keys: Schema<StepProfile> = Schema(fields: [
      Field("patchSize", \.patchSize, patchSize, "voxels along x, y, z"),
      Field("forward", \.forward, .notNegative, "seconds"),
      Field("backward", \.backward, .notNegative, "seconds"),
      Field("update", \.update, .notNegative, "seconds"),
      Field("jitter", \.jitter, .notNegative, "relative standard deviation of a step's seconds"),
      Field("final", \.final, moments, "[seconds of backward, gradients that are final], ..."),
    ])
    let required = ["patchSize", "forward", "backward", "update", "final"]
    return Codec.record(StepProfile(), required: required, keys)
  }

  private static var patchSize: Codec<[Int]> {
    let what = "three whole numbers of at least 1, [x, y, z]"
    return Codec<Int>.integer(atLeast: 1).list(what).checked(what) { $0.count == 3 }
  }

  private static var moments: Codec<[StepProfile.Moment]> {
    let what = "pairs of seconds and numbers of gradients, both rising"
    return Codec<StepProfile.Moment>.moment.list(what).checked(what) { moments in
      !moments.isEmpty
        && zip(moments, moments.dropFirst()).allSatisfy {
          $0.seconds <= $1.seconds && $0.gradients <= $1.gradients
        }
    }
  }
}

extension Codec where Value == StepProfile.Moment {
  fileprivate static var moment: Codec {
    let what = "[seconds, gradients]"
    return Codec(
      read: { yaml throws(TrainingError) in
        guard let pair = yaml.elements, pair.count == 2 else { throw yaml.expected(what) }
        return StepProfile.Moment(
          seconds: try Codec<Double>.notNegative.read(pair[0]),
          gradients: try Codec<Int>.integer(atLeast: 1).read(pair[1]))
      }, write: { .array([.number($0.seconds), .integer($0.gradients)]) })
  }
}
