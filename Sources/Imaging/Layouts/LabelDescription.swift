/// What `labels` and `regions_class_order` of a `dataset.json` say.
///
/// MSD writes values to names, nnU-Net names to values or, for regions, to lists of values; the
/// name `ignore` stands for voxels that do not count.
struct LabelDescription {
  /// Ascending by value, background first; without the ignored one.
  private(set) var labels: [DatasetLabel] = []
  /// In the order of the file; empty unless one has several values, as in nnU-Net.
  private(set) var regions: [Region] = []
  private(set) var ignored: Int?

  private typealias Entry = (name: String, values: [Int])

  /// Reads the description of a data set.
  ///
  /// - Throws: `badData` naming the key that cannot be understood.
  init(of root: JSONFile) throws(ImagingError) {
    let labels = try root.value("labels")
    var entries: [Entry] = []
    for (key, value) in try labels.members {
      let entry = try Self.entry(key, value)
      if entry.name.lowercased() == "ignore" {
        guard entry.values.count == 1 else { throw value.error("\"ignore\" is one value") }
        ignored = entry.values[0]
      } else {
        entries.append(entry)
      }
    }
    if entries.contains(where: { $0.values.count > 1 }) {
      regions = try Self.regions(of: entries, root)
      self.labels = Self.labels(inRegions: entries)
    } else {
      self.labels = entries.map { DatasetLabel(value: $0.values[0], name: $0.name) }
        .sorted { $0.value < $1.value }
    }
    try check(labels)
  }

  private static func entry(_ key: String, _ value: JSONFile) throws(ImagingError) -> Entry {
    if let name = value.json.string {
      guard let number = Int(key) else { throw value.error("\"\(key)\" is not a label value") }
      return (name, [number])
    }
    guard value.json.array != nil else { return (key, [try value.integer]) }
    var values: [Int] = []
    for element in try value.elements { values.append(try element.integer) }
    guard !values.isEmpty else { throw value.error("the region holds no label") }
    return (key, Set(values).sorted())
  }

  private static func regions(
    of entries: [Entry], _ root: JSONFile
  ) throws(ImagingError) -> [Region] {
    let foreground = entries.filter { $0.values != [0] }
    let order = try root.value("regions_class_order")
    let painted = try order.elements
    guard painted.count == foreground.count else {
      throw order.error(
        "there are \(foreground.count) regions, but \(painted.count) labels to paint them with")
    }
    var regions: [Region] = []
    for (layer, (entry, label)) in zip(foreground, painted).enumerated() {
      regions.append(
        Region(
          name: entry.name, values: entry.values, painted: try label.integer, layer: layer))
    }
    guard regions.allSatisfy({ region in entries.contains { $0.values.contains(region.painted) } })
    else { throw order.error("a label is painted that no region holds") }
    return regions
  }

  /// All labels that regions are made of; those that are a region of their own have its name.
  private static func labels(inRegions entries: [Entry]) -> [DatasetLabel] {
    Set(entries.flatMap(\.values)).sorted().map { value in
      let own = entries.first { $0.values == [value] }
      return DatasetLabel(value: value, name: own?.name ?? "label \(value)")
    }
  }

  private func check(_ place: JSONFile) throws(ImagingError) {
    let values = labels.map(\.value)
    guard Set(values).contains(0), Set(values).count == values.count, values.count > 1 else {
      throw place.error(
        "labels need 0 (background) and at least one other, each value once")
    }
    guard (values + [ignored ?? 0]).allSatisfy({ (0...Int(Int16.max)).contains($0) }) else {
      throw place.error("label values must be 0 to \(Int16.max)")
    }
    guard !values.contains(ignored ?? -1) else {
      throw place.error("\"ignore\" has the value \(ignored ?? 0) of another label")
    }
  }
}

/// The names of the channels in a `dataset.json`.
enum ChannelDescription {
  /// The names under `channel_names` or `modality`: `{"0": "T1", "1": "T2"}` or, of one channel, a
  /// text; nil where neither is there.
  ///
  /// - Throws: `badData` naming the key that cannot be understood.
  static func channels(of root: JSONFile) throws(ImagingError) -> [String]? {
    guard let value = root["channel_names"] ?? root["modality"] else { return nil }
    if let name = value.json.string { return [name] }
    let members = try value.members
    var names: [String] = []
    for index in members.indices {
      guard let name = members.first(where: { $0.key == String(index) })?.value else {
        throw value.error("there is no channel \"\(index)\"")
      }
      names.append(try name.string)
    }
    guard !names.isEmpty else { throw value.error("there is no channel \"0\"") }
    return names
  }
}

extension Dataset {
  /// The name, channels and labels that a description says; no subjects.
  ///
  /// - Throws: `badData` naming the key that is missing or cannot be understood.
  init(describedBy root: JSONFile, name: String) throws(ImagingError) {
    guard let channels = try ChannelDescription.channels(of: root) else {
      _ = try root.value(root["training"] == nil ? "channel_names" : "modality")
      throw root.error("it names no channels")
    }
    let labels = try LabelDescription(of: root)
    self.init(
      name: try root["name"]?.string ?? name, channelNames: channels, labels: labels.labels,
      regions: labels.regions, ignoredLabel: labels.ignored, subjects: [])
  }

  /// The labels that a `dataset.json` names, whose files need not exist, or those of the data set
  /// of a folder.
  ///
  /// - Throws: `missing`, `inputOutput` or `badData` naming the file.
  package static func labels(of file: String) throws(ImagingError) -> Dataset {
    guard !NIfTIFiles.isFolder(file) else { return try load(file) }
    let labels = try LabelDescription(of: try JSONFile(file))
    return Dataset(
      name: file, channelNames: [], labels: labels.labels, regions: labels.regions,
      ignoredLabel: labels.ignored, subjects: [])
  }
}
