/// A foreground class, or a region of several labels, that is scored on its own.
package struct ScoredClass: Hashable, Sendable {
  /// Its key in metrics.json: the label value, or a region's name.
  package var key: String
  package var name: String
  /// The label values that belong to it.
  package var values: [Int16]

  package init(key: String, name: String, values: [Int16]) {
    self.key = key
    self.name = name
    self.values = values
  }

  /// What is scored of a data set, in its order: its regions, or its foreground classes.
  package static func scored(of dataset: Dataset) -> [ScoredClass] {
    dataset.regions.isEmpty ? foreground(of: dataset.labels) : of(dataset.regions)
  }

  /// The regions, in their order.
  package static func of(_ regions: [Region]) -> [ScoredClass] {
    regions.map {
      ScoredClass(key: $0.name, name: $0.name, values: $0.values.map { Int16(clamping: $0) })
    }
  }

  /// The foreground classes of a label list, in its order.
  package static func foreground(of labels: [DatasetLabel]) -> [ScoredClass] {
    labels.filter { $0.value != 0 }.map {
      ScoredClass(key: String($0.value), name: $0.name, values: [Int16(clamping: $0.value)])
    }
  }
}
