/// The style sheets of pages and drawings, the only place that says how they look.
package enum Style {
  /// Of a drawing alone.
  package static var drawing: String { colors + chart }
  /// Of a report.
  static var page: String { colors + chart + text + parts + paper }

  private static let light = [
    "paper": "#ffffff", "ink": "#1b1f24", "muted": "#57606a", "rule": "#dfe3e8",
  ]
  private static let dark = [
    "paper": "#14171a", "ink": "#e6e9ed", "muted": "#9aa4af", "rule": "#30363d",
  ]

  private static var colors: String {
    func variables(_ named: [String: String], _ tone: KeyPath<Palette.Tone, UInt32>) -> String {
      let own = named.sorted { $0.key < $1.key }.map { "--\($0.key):\($0.value)" }
      let tones = Palette.tones.enumerated().map { index, hues in
        "--tone\(index):\(Palette.css(hues[keyPath: tone]))"
      }
      return (own + tones).joined(separator: ";")
    }
    let (day, night) = (variables(light, \.light), variables(dark, \.dark))
    return """
      :root { color-scheme: light dark; \(day) }
      @media screen and (prefers-color-scheme: dark) { :root { \(night) } }

      """
  }

  private static var chart: String {
    let tones = Palette.tones.indices.map { index in
      ".tone\(index) { --tone: var(--tone\(index)) }"
    }
    return """
      .strong { --tone: var(--ink) }
      .quiet { --tone: var(--muted) }
      \(tones.joined(separator: "\n"))
      .line { fill: none; stroke: var(--tone); stroke-width: 1.5; stroke-linejoin: round }
      .line.strong { stroke-width: 2.25 }
      .line.quiet { stroke-width: 1; opacity: .45 }
      .band { fill: var(--tone); opacity: .16 }
      .dot { fill: var(--tone) }
      .spread { opacity: .5 }
      .median { stroke: var(--ink); stroke-width: 2 }
      .grid { stroke: var(--rule) }
      .mark { stroke: var(--muted) }
      .leader { stroke: var(--tone); opacity: .6 }
      .chart text, .caption { font: 11px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
        font-variant-numeric: tabular-nums; fill: var(--muted) }
      .chart .label { fill: var(--tone) }
      .chart .label.strong { font-weight: 600 }
      .end { text-anchor: end }
      .middle { text-anchor: middle }
      .paper { fill: var(--paper) }
      .caption { fill: var(--ink); font-weight: 600; font-size: 12px }
      .headline { font-size: 16px }
      .note { font-weight: 400; fill: var(--muted) }

      """
  }

  private static let text = """
    * { box-sizing: border-box }
    body { margin: 0 auto; padding: 40px 32px 64px; max-width: 1080px; background: var(--paper);
      color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif }
    h1 { font-size: 30px; line-height: 1.2; margin: 0 0 4px; font-weight: 650;
      overflow-wrap: anywhere }
    h2 { font-size: 20px; margin: 56px 0 12px; padding-top: 14px; font-weight: 650;
      border-top: 1px solid var(--rule) }
    h3 { font-size: 14px; margin: 0 0 6px; font-weight: 600 }
    p { margin: 0 0 12px; max-width: 72ch }
    .muted, figcaption { color: var(--muted); font-size: 13px }
    .missing { padding: 10px 14px; border-left: 3px solid var(--rule); color: var(--muted) }
    nav { margin: 14px 0 0; font-size: 13px }
    nav a { margin-right: 18px }
    a { color: var(--tone0) }
    code { font: 12.5px ui-monospace, "SF Mono", Consolas, "DejaVu Sans Mono", monospace;
      overflow-wrap: anywhere }

    """

  private static let parts = """
    .figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(128px, 1fr));
      gap: 20px 24px; margin: 30px 0 0; padding: 0 }
    .figures dt { color: var(--muted); font-size: 13px }
    .figures dd { margin: 0; font-size: 26px; line-height: 1.25; font-weight: 600;
      font-variant-numeric: tabular-nums }
    .figures dd + dd { font-size: 13px; font-weight: 400; color: var(--muted) }
    .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(420px, 1fr));
      gap: 30px 36px }
    figure { margin: 0; break-inside: avoid }
    .charts svg, .strip svg { display: block; width: 100%; height: auto }
    .strip { max-width: 620px; margin: 0 0 26px }
    img { display: block; max-width: 100%; height: auto; background: #000 }
    .subjects { display: grid; gap: 28px }
    .subjects figcaption, .attention figcaption { margin-top: 8px }
    .key { display: flex; flex-wrap: wrap; gap: 4px 20px; margin: 0 0 16px; padding: 0;
      list-style: none; font-size: 13px }
    .key i { display: inline-block; width: 22px; height: 0; margin-right: 7px;
      vertical-align: middle; border-top: 3px solid var(--tone) }
    .key .reference { border-top-style: dotted; --tone: var(--ink) }
    .panels { display: grid; grid-template-columns: repeat(5, 1fr); gap: 6px; margin: 8px 0 0;
      padding: 0; list-style: none; font-size: 13px; line-height: 1.4; color: var(--muted) }
    .panels b { color: var(--ink); font-weight: 600 }
    .scroll { overflow-x: auto }
    .long { max-height: 600px; width: fit-content; max-width: 100%; overflow: auto;
      border: solid var(--rule); border-width: 1px 0; padding-right: 16px }
    .long thead { position: sticky; top: 0; z-index: 1; background: var(--paper) }
    .long tfoot { position: sticky; bottom: 0; z-index: 1; background: var(--paper) }
    .long tfoot tr > * { border-top: 1px solid var(--rule) }
    table { border-collapse: separate; border-spacing: 0; font-size: 13.5px; font-variant-numeric: tabular-nums }
    th { font-weight: 600; text-align: right; vertical-align: bottom }
    th, td { padding: 4px 0 4px 22px; white-space: nowrap; border-bottom: 1px solid var(--rule) }
    td { text-align: right }
    thead tr:first-child th:first-child, th[scope=row] { text-align: left; padding-left: 0 }
    .scroll + p, .facts + h3 { margin-top: 24px }
    tbody th { font-weight: 400 }
    .scroll th[scope=row] { position: sticky; left: 0; background: var(--paper) }
    thead .group { text-align: center; border-bottom: 0; color: var(--muted); font-weight: 400 }
    tfoot td, tfoot th { font-weight: 600; border-bottom: 0 }
    .settings { columns: 3 270px; column-gap: 40px; font-size: 13px; line-height: 1.45 }
    .settings section { break-inside: avoid; margin-bottom: 18px }
    .settings dl, .facts { margin: 0; display: grid; grid-template-columns: auto 1fr;
      gap: 2px 14px }
    .settings dt, .facts dt { color: var(--muted) }
    .settings dd, .facts dd { margin: 0; overflow-wrap: anywhere; text-align: right }
    .facts { font-size: 13px; max-width: 820px }
    .facts dd { text-align: left }
    footer { margin-top: 56px; padding-top: 14px; border-top: 1px solid var(--rule) }

    """

  private static let paper = """
    @media (max-width: 640px) {
      body { padding: 24px 16px }
      .charts, .panels { grid-template-columns: 1fr }
    }
    @media print {
      body { max-width: none; padding: 0; font-size: 10pt }
      h2 { margin-top: 28px }
      h2, h3, .key { break-after: avoid }
      nav { display: none }
      .charts { grid-template-columns: 1fr 1fr }
      .figures { grid-template-columns: repeat(auto-fit, minmax(96px, 1fr)) }
      .scroll { overflow: visible; max-height: none; border: 0 }
      .long thead, .long tfoot { position: static }
      tfoot { display: table-row-group }
      tr { break-inside: avoid }
      thead { display: table-header-group }
      img { print-color-adjust: exact }
    }

    """
}
