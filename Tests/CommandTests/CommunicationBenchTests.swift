import Foundation
import Testing

@Suite struct CommunicationBenchTests {
  @Test func `an allreduce benchmark prints a line for each size and compression`() throws {
    let result = try Command.lkdist(
      ranks: 2, "bench", "allreduce", "--sizes", "4096,1m", "--bucket-mib", "0.25", "--rounds", "2")
    #expect(result.code == 0, "\(result.errors)")
    let lines = try objects(in: result.output)
    #expect(lines.compactMap { $0["bytes"] as? Int } == [4096, 4096, 1 << 20, 1 << 20])
    #expect(lines.compactMap { $0["compression"] as? String } == ["none", "bf16", "none", "bf16"])
    for line in lines {
      #expect(line["ranks"] as? Int == 2)
      #expect(line["bucket_bytes"] as? Int == 1 << 18)
      let (seconds, rate) = (line["seconds"] as? Double ?? 0, line["gb_per_s"] as? Double ?? 0)
      let bytes = Double(line["bytes"] as? Int ?? 0)
      #expect(seconds > 0 && abs(rate * seconds * 1e9 / bytes - 1) < 1e-6)
    }
  }

  @Test(arguments: ["0", "x", "1m,", "1g", "-4"])
  func `sizes that are none are refused`(sizes: String) throws {
    let result = try Command.lkdist("bench", "allreduce", "--sizes=\(sizes)")
    #expect(result.code == 64)
    #expect(result.errors.contains("--sizes takes bytes or MiB"))
  }

  @Test func `a step benchmark of two ranks says how much communication is hidden`() throws {
    let result = try Command.lkdist(
      ranks: 2, "bench", "step", "--patch", "16,16,16", "--inputs", "1", "--outputs", "2",
      "--channels", "16", "--maximum-channels", "16", "--scales", "3", "--steps", "2",
      "--compression", "bf16")
    #expect(result.code == 0, "\(result.errors)")
    let lines = try objects(in: result.output)
    #expect(lines.count == 3)
    #expect(lines.dropLast().allSatisfy { $0["allreduce_hidden_s"] is Double })
    let last = try #require(lines.last)
    func value(_ key: String) -> Double { last[key] as? Double ?? .nan }
    let exposed = value("step_s") - value("step_without_s")
    #expect(abs(value("hidden") - (1 - exposed / value("allreduce_alone_s"))) < 1e-6)
  }

  private func objects(in text: String) throws -> [[String: Any]] {
    try text.split(separator: "\n").map { line in
      try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
  }
}
