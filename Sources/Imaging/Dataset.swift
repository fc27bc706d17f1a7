/// One entry of a data set's label list.
package struct DatasetLabel: Hashable, Sendable {
  /// The value in label files; 0 is background.
  package var value: Int
  package var name: String

  package init(value: Int, name: String) {
    self.value = value
    self.name = name
  }
}

/// Several labels that are learned, predicted and scored as one; regions may overlap.
package struct Region: Hashable, Sendable {
  package var name: String
  /// The labels that belong to it, ascending.
  package var values: [Int]
  /// The label that it becomes in a predicted label map.
  package var painted: Int
  /// Where regions overlap, the one of the highest layer is seen.
  package var layer: Int

  package init(name: String, values: [Int], painted: Int, layer: Int) {
    self.name = name
    self.values = values
    self.painted = painted
    self.layer = layer
  }
}

/// One case of a data set.
package struct Subject: Hashable, Sendable {
  /// What a subject is for.
  package enum Part: Hashable, Sendable {
    /// Training and validation.
    case training
    /// Held out by the data set itself: for prediction only, even where labels are known.
    case test
  }

  /// The case's name, from its file names.
  package var identifier: String
  /// Paths of its images in channel order; one 4-D file holds several channels.
  package var images: [String]
  /// Path of its label map; nil where there is none to learn from.
  package var label: String?
  package var part: Part
  /// The fold in which it validates, where the data set says so.
  package var fold: Int?
  /// What names it: a folder, or an entry of a file.
  package var source: String

  package init(
    identifier: String, images: [String], label: String?, part: Part = .training,
    fold: Int? = nil, source: String = ""
  ) {
    self.identifier = identifier
    self.images = images
    self.label = label
    self.part = part
    self.fold = fold
    self.source = source
  }

  /// The paths of its images, then of its label map.
  package var files: [String] { images + [label].compactMap { $0 } }
}

/// A data set as its files describe it; no image has been read.
package struct Dataset: Sendable {
  package var name: String
  /// One name per image channel.
  package var channelNames: [String]
  /// Ascending by value, background first; without the ignored one. Empty where nothing names them.
  package var labels: [DatasetLabel]
  /// In the order of a region model's outputs; empty where the data set defines none.
  package var regions: [Region]
  /// The label of voxels that are neither learned nor scored.
  package var ignoredLabel: Int?
  /// Ascending by identifier.
  package var subjects: [Subject]
  /// How its files are laid out; nil for one that no layout made.
  package var layout: DatasetLayout?
  /// What a user should know of how it was read: what the layout was seen by, odd names, files left out.
  package var notes: [String]

  package init(
    name: String, channelNames: [String], labels: [DatasetLabel], regions: [Region] = [],
    ignoredLabel: Int? = nil, subjects: [Subject], layout: DatasetLayout? = nil,
    notes: [String] = []
  ) {
    self.name = name
    self.channelNames = channelNames
    self.labels = labels
    self.regions = regions
    self.ignoredLabel = ignoredLabel
    self.subjects = subjects
    self.layout = layout
    self.notes = notes
  }

  /// The subjects to train on and validate with: those of the training part that have labels.
  package var labeledSubjects: [Subject] {
    subjects.filter { $0.part == .training && $0.label != nil }
  }

  /// What names its labels, for messages.
  var labelSource: String {
    switch layout {
    case .msd, .nnunet, nil: "dataset.json"
    case .brats2020, .ctOrg, .datalist: "data.labels"
    }
  }

  /// The subjects held out by the data set itself.
  package var testSubjects: [Subject] { subjects.filter { $0.part == .test } }
}
