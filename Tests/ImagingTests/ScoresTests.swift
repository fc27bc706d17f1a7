import Foundation
import Imaging
import Testing

@Suite struct ScoresTests {
  private var scores: Scores {
    var scores = Scores(
      classes: ScoredClass.foreground(of: [
        DatasetLabel(value: 0, name: "background"), DatasetLabel(value: 1, name: "Anterior"),
        DatasetLabel(value: 2, name: "Posterior, all"),
      ]))
    scores.add("b", [Score(dice: 0.5, hd95: 2), Score(dice: 0.25, hd95: nil)])
    scores.add("a", [Score(dice: 1, hd95: 4), Score(dice: 0.75, hd95: nil)])
    return scores
  }

  @Test func `the mean is over classes of the mean over subjects`() {
    #expect(scores.classMeans.map(\.dice) == [0.75, 0.5])
    #expect(scores.foreground == Score(dice: 0.625, hd95: 3))
  }

  @Test func `a mean leaves out what is undefined`() {
    let mean = Score.mean([
      Score(dice: 1, hd95: nil), Score(dice: 0, hd95: nil, nsd: 0.5), Score(dice: nil, hd95: nil),
    ])
    #expect(mean == Score(dice: 0.5, hd95: nil, nsd: 0.5))
  }

  @Test func `metrics json has the documented shape with null where undefined`() throws {
    let text = try #require(String(data: scores.json(), encoding: .utf8))
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? NSDictionary
    let expected: NSDictionary = [
      "rule": Metrics.rule,
      "subjects": [
        "a": [
          "1": ["name": "Anterior", "dice": 1, "hd95": 4, "nsd": NSNull()] as NSDictionary,
          "2": ["name": "Posterior, all", "dice": 0.75, "hd95": NSNull(), "nsd": NSNull()],
        ] as NSDictionary,
        "b": [
          "1": ["name": "Anterior", "dice": 0.5, "hd95": 2, "nsd": NSNull()] as NSDictionary,
          "2": ["name": "Posterior, all", "dice": 0.25, "hd95": NSNull(), "nsd": NSNull()],
        ] as NSDictionary,
      ] as NSDictionary,
      "mean": [
        "1": ["name": "Anterior", "dice": 0.75, "hd95": 3, "nsd": NSNull()] as NSDictionary,
        "2": ["name": "Posterior, all", "dice": 0.5, "hd95": NSNull(), "nsd": NSNull()],
        "foreground": ["dice": 0.625, "hd95": 3, "nsd": NSNull()] as NSDictionary,
      ] as NSDictionary,
    ]
    #expect(object == expected, "\(text)")
  }

  @Test func `no subject gives nulls, not a failure`() throws {
    let empty = Scores(classes: scores.classes)
    #expect(empty.foreground == Score(dice: nil, hd95: nil))
    #expect(try String(decoding: empty.json(), as: UTF8.self).contains("\"subjects\" : {"))
  }

  @Test func `the CSV quotes names and leaves undefined fields empty`() {
    let lines = scores.csv.split(separator: "\n")
    #expect(lines.first == "subject,class,name,dice,hd95,nsd")
    #expect(lines[2] == "a,2,\"Posterior, all\",0.75,,")
    #expect(lines.last == "mean,foreground,,0.625,3.0,")
  }

  @Test func `the table aligns its columns and prints the rule`() {
    let lines = scores.table(perSubject: true).split(separator: "\n").map(String.init)
    #expect(
      lines.prefix(6) == [
        "                       Dice   HD95 mm",
        "a                    0.8750      4.00",
        "b                    0.3750      2.00",
        "1 Anterior           0.7500      3.00",
        "2 Posterior, all     0.5000         -",
        "mean of 2 classes    0.6250      3.00",
      ])
    let rule = lines.dropFirst(6).joined(separator: " ")
    #expect(rule == "2 subjects. \(Metrics.rule)")
  }

  @Test func `a subject added again replaces its scores`() {
    var again = scores
    again.add("a", [Score(dice: 0, hd95: 0), Score(dice: 0, hd95: 0)])
    #expect(again.subjects.map(\.identifier) == ["a", "b"])
    #expect(again.subjects[0].scores[0].dice == 0)
    #expect(again != scores)
  }
}
