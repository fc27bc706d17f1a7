extension Dataset {
  /// The data set with the labels to learn: those given, else its own, else the values that are
  /// found in its label maps, all of which are then read.
  ///
  /// - Parameter given: replaces the data set's labels and regions.
  /// - Throws: `badData` where no label map holds a foreground value, or one a negative value.
  package func labeled(_ given: [DatasetLabel]? = nil) throws(ImagingError) -> Dataset {
    var dataset = self
    if let given {
      (dataset.labels, dataset.regions, dataset.ignoredLabel) = (given, [], nil)
    } else if labels.isEmpty {
      dataset.labels = try foundLabels()
      let values = dataset.labels.map { String($0.value) }.joined(separator: ", ")
      dataset.notes.append(
        "labels \(values) were found by reading \(labeledSubjects.count) label maps; data.labels "
          + "names them and spares that")
    }
    return dataset
  }

  private func foundLabels() throws(ImagingError) -> [DatasetLabel] {
    var values: Set<Int16> = [0]
    for subject in labeledSubjects {
      guard let label = subject.label else { continue }
      let found = Set(try NIfTI.readLabels(label).labels)
      if let negative = found.first(where: { $0 < 0 }) {
        throw .badData("\(label) holds \(negative), which is no label; labels are 0 or more")
      }
      values.formUnion(found)
    }
    guard values.count > 1 else {
      throw .badData("no label map of \(name) holds a foreground voxel; there is nothing to learn")
    }
    return values.sorted().map {
      DatasetLabel(value: Int($0), name: $0 == 0 ? "background" : "label \($0)")
    }
  }
}
