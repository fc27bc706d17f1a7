import Imaging

/// What a run was made with and on: configuration, data and machine.
struct OriginSection {
  let run: RunContents

  var html: String { machine + settings }

  private var machine: String {
    switch run.manifest {
    case .success(let manifest): Self.list(Self.facts(of: manifest), class: "facts")
    case .failure(let absence): Markup.missing("The machine is not known: \(absence.reason)")
    }
  }

  private static func facts(of manifest: JSON) -> [(String, String)] {
    func words(_ key: String) -> [String] { manifest[key]?.array?.compactMap(\.string) ?? [] }
    func number(_ key: String) -> String { manifest[key]?.integer.map { "\($0)" } ?? "not known" }
    var facts = [
      ("Data set hash", manifest["dataset_hash"]?.string ?? "not known"),
      ("Ranks x threads", "\(number("ranks")) x \(number("threads"))"),
      ("Hosts", hosts(words("hosts"))),
      ("Instruction set", manifest["instruction_set"]?.string ?? "not known"),
    ]
    if case .object(let versions)? = manifest["versions"] {
      let list = versions.map { "\($0.key) \($0.value.string ?? "")" }
      facts.append(("Versions", list.joined(separator: ", ")))
    }
    facts.append(("Command", words("command").joined(separator: " ")))
    return facts
  }

  /// The hosts with the number of their ranks, in the ranks' order.
  private static func hosts(_ names: [String]) -> String {
    var counts: [(name: String, ranks: Int)] = []
    for name in names {
      if let index = counts.firstIndex(where: { $0.name == name }) {
        counts[index].ranks += 1
      } else {
        counts.append((name, 1))
      }
    }
    let list = counts.map { "\($0.name) (\($0.ranks == 1 ? "1 rank" : "\($0.ranks) ranks"))" }
    return list.isEmpty ? "not known" : list.joined(separator: ", ")
  }

  private var settings: String {
    let title = Markup.text("h3", "Configuration")
    switch run.configuration {
    case .success(let configuration):
      return title + Markup.element("div", ["class": "settings"], Self.settings(configuration))
    case .failure(let absence):
      return title + Markup.missing("The configuration is not known: \(absence.reason)")
    }
  }

  private static func settings(_ configuration: Configuration) -> String {
    guard case .object(let members) = configuration.json else { return "" }
    let single = members.filter { if case .object = $0.value { false } else { true } }
    let groups = members.compactMap { member -> (String, [JSON.Member])? in
      guard case .object(let below) = member.value else { return nil }
      return (member.key, below)
    }
    return ([("run", single)] + groups).map { name, below in
      let facts = below.map { ($0.key, $0.value.yamlText) }
      return Markup.element("section", [:], Markup.text("h3", name) + list(facts))
    }.joined(separator: "\n")
  }

  private static func list(_ facts: [(String, String)], class kind: String? = nil) -> String {
    let items = facts.map { Markup.text("dt", $0.0) + Markup.text("dd", $0.1) }.joined()
    guard let kind else { return Markup.element("dl", [:], items) }
    return Markup.element("dl", ["class": kind], items)
  }
}
