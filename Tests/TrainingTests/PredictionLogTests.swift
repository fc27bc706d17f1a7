import Testing
import Training

@Suite struct PredictionLogTests {
  private func line(_ columns: Int, name: String = "case_1") -> String {
    PredictionLog.line(name, "(2/9)", done: 9, of: 18, seconds: 7.5, columns: columns)
  }

  @Test func `the bar of a prediction shows windows, speed and what is left`() {
    #expect(
      line(80)
        == "case_1 (2/9)  [##########..........]  9/18 windows  1.20 a second  8 s left")
    #expect(
      PredictionLog.line("a", done: 0, of: 4, seconds: 0)
        == "a  [....................]  0/4 windows")
  }

  @Test func `fewer columns show less, never more than fits`() {
    #expect(line(60) == "case_1 (2/9)  [##########..........]  9/18 windows  8 s left")
    #expect(line(45) == "case_1 (2/9)  [#####.....]  9/18  8 s left")
    #expect(
      line(55, name: "a_long_name_of_case_0001")
        == "…me_of_case_0001 (2/9)  [#####.....]  9/18  8 s left")
    #expect(line(32) == "case_1 (2/9)  9/18  8 s left")
    #expect(line(20) == "case_1 (2/9)  9/18")
    for columns in 4...90 { #expect(line(columns).count <= columns) }
  }
}
