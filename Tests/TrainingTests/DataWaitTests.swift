import Testing
import Training

@Suite struct DataWaitTests {
  @Test func `the share is that of all parts of the steps`() {
    var wait = DataWait()
    #expect(wait.share == 0)
    let step = StepSeconds(
      forward: 1, backward: 2, allreduceExposed: 0.5, allreduceHidden: 9, update: 0.25, data: 0.25)
    wait.add(step)
    wait.add(step)
    #expect(wait.share == 0.0625)
  }

  @Test func `more than 1 % is worth a line`() {
    #expect(DataWait.notice(0.01, on: "rank 0") == nil)
    #expect(
      DataWait.notice(0.0625, on: "rank 0")
        == "steps waited for data 6.3 % of their time on rank 0")
  }
}
