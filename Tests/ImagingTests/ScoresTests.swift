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

  @Test func `the deviation is over subjects, of all classes that of each subject's mean`() {
    #expect(scores.classDeviations[0] == Score(dice: 0.125.squareRoot(), hd95: 2.0.squareRoot()))
    #expect(scores.classDeviations[1].hd95 == nil)
    #expect(scores.foregroundDeviation.dice == 0.125.squareRoot())
    #expect(Score.deviation([Score(dice: 1, hd95: 2)]) == Score())
  }

  @Test func `metrics json has the documented shape with null where undefined`() throws {
    let text = try #require(String(data: scores.json(), encoding: .utf8))
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? NSDictionary
    func entry(_ dice: Double, _ hd95: Any, name: String? = nil) -> NSDictionary {
      var entry: [String: Any] = ["dice": dice, "hd95": hd95]
      for measure in ["nsd", "volume_difference", "lesion_dice", "lesion_f1"] {
        entry[measure] = NSNull()
      }
      entry["name"] = name
      return entry as NSDictionary
    }
    let (first, second) = ("Anterior", "Posterior, all")
    let (root, root2) = (0.125.squareRoot(), 2.0.squareRoot())
    let expected: NSDictionary = [
      "rule": ScoringRule().text(for: scores.classes), "conventions": "standard",
      "subjects": [
        "a": ["1": entry(1, 4, name: first), "2": entry(0.75, NSNull(), name: second)],
        "b": ["1": entry(0.5, 2, name: first), "2": entry(0.25, NSNull(), name: second)],
      ] as NSDictionary,
      "mean": [
        "1": entry(0.75, 3, name: first), "2": entry(0.5, NSNull(), name: second),
        "foreground": entry(0.625, 3),
      ] as NSDictionary,
      "sd": [
        "1": entry(root, root2, name: first), "2": entry(root, NSNull(), name: second),
        "foreground": entry(root, root2),
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
    #expect(
      lines.first == "subject,class,name,dice,hd95,nsd,volume_difference,lesion_dice,lesion_f1")
    #expect(lines[2] == "a,2,\"Posterior, all\",0.75,,,,,")
    #expect(lines.contains("mean,foreground,,0.625,3.0,,,,"))
    #expect(lines.last?.hasPrefix("sd,foreground,,0.353") == true)
  }

  @Test func `the table aligns its columns and prints the rule`() {
    let lines = scores.table(perSubject: true).split(separator: "\n").map(String.init)
    #expect(
      lines.prefix(9) == [
        "                       Dice   HD95 mm",
        "a                    0.8750      4.00",
        "b                    0.3750      2.00",
        "1 Anterior           0.7500      3.00",
        "  ± sd               0.3536      1.41",
        "2 Posterior, all     0.5000         -",
        "  ± sd               0.3536         -",
        "mean of 2 classes    0.6250      3.00",
        "  ± sd               0.3536      1.41",
      ])
    let rule = lines.dropFirst(9).joined(separator: " ")
    #expect(rule == "2 subjects. \(scores.ruleText)")
    #expect(rule.contains("Conventions: standard."))
  }

  @Test func `measures that were taken have columns`() {
    var scores = Scores(classes: ScoredClass.of(Region.brats))
    var score = Score(dice: 1, hd95: 0, nsd: 0.5)
    (score.volumeDifference, score.lesionDice, score.lesionF1) = (-12.345, 0.25, 0.75)
    scores.add("a", [score, score, score])
    let lines = scores.table().split(separator: "\n")
    #expect(
      lines.prefix(2) == [
        "                       Dice   HD95 mm       NSD  Volume ml   L. Dice     L. F1",
        "ET                   1.0000      0.00    0.5000     -12.35    0.2500    0.7500",
      ])
  }

  @Test func `a subject added again replaces its scores`() {
    var again = scores
    again.add("a", [Score(dice: 0, hd95: 0), Score(dice: 0, hd95: 0)])
    #expect(again.subjects.map(\.identifier) == ["a", "b"])
    #expect(again.subjects[0].scores[0].dice == 0)
    #expect(again != scores)
  }
}
