/// The text files of the sample data set.
enum SampleText {
  /// `dataset.json` in MSD layout; `structures` are the labels 1, 2, ….
  static func description(_ structures: [String]) -> String {
    let labels = structures.enumerated().map { "    \"\($0 + 1)\": \"\($1)\"" }
    return """
      {
        "name": "Colin27",
        "description": "Deep structures of one brain: Colin27 T1 with AAL labels, one hemisphere each",
        "reference": "Holmes et al. 1998 (Colin27), Tzourio-Mazoyer et al. 2002 (AAL); Debian mricron-data",
        "tensorImageSize": "3D",
        "modality": { "0": "T1" },
        "labels": {
          "0": "background",
      \(labels.joined(separator: ",\n"))
        },
        "numTraining": 2,
        "training": [
          { "image": "./imagesTr/colin_left.nii.gz", "label": "./labelsTr/colin_left.nii.gz" },
          { "image": "./imagesTr/colin_right.nii.gz", "label": "./labelsTr/colin_right.nii.gz" }
        ]
      }

      """
  }

  /// The left half trains, the right half validates.
  static let splits = """
    [
      { "train": ["colin_left"], "val": ["colin_right"] }
    ]

    """

  /// A configuration that learns visibly in minutes on two cores.
  static let configuration = """
    # Five deep brain structures from one hemisphere; the other one is held out.
    # One brain shows that the trainer works, not that a model generalizes.
    name: colin27
    data:
      path: .
      layout: msd
      splits: splits_final.json
      spacing: [1.5, 1.5, 1.5]      # mm; the images have 1 mm, coarser ones train faster
      patchSize: [32, 48, 32]       # x, y, z voxels; multiples of 2^(scales - 1)
      foregroundFraction: 0.67
      normalization: zscore
    model:
      attention: mid
      channels: 16
      scales: 4
    loss: {kind: dice-ce}
    optimizer: {kind: adam, learningRate: 3.0e-3}
    augmentation:
      preset: none
      transforms: [{kind: mirror, axes: [x], probability: 0.5}]
    training: {epochs: 8, stepsPerEpoch: 35, validateEvery: 4}

    """
}
