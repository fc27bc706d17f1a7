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

/// One case of a data set.
package struct Subject: Hashable, Sendable {
  /// The case's name, from its file names.
  package var identifier: String
  /// Paths of its images in channel order; one 4-D file holds several channels.
  package var images: [String]
  /// Path of its label map; nil where there is none to learn from.
  package var label: String?

  package init(identifier: String, images: [String], label: String?) {
    self.identifier = identifier
    self.images = images
    self.label = label
  }
}

/// A data set as its files describe it; no image has been read.
package struct Dataset: Sendable {
  package var name: String
  /// One name per image channel.
  package var channelNames: [String]
  /// Ascending by value, background first.
  package var labels: [DatasetLabel]
  /// Ascending by identifier.
  package var subjects: [Subject]

  package init(
    name: String, channelNames: [String], labels: [DatasetLabel], subjects: [Subject]
  ) {
    self.name = name
    self.channelNames = channelNames
    self.labels = labels
    self.subjects = subjects
  }
}
