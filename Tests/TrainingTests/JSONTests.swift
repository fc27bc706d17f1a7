import Testing

import Training

@Suite struct JSONTests {
  @Test func `a value is read back as it was written`() throws {
    let value: JSON = [
      "a": .array([.null, .bool(true), .integer(-3), .number(0.1), .number(1e-300)]),
      "tricky \" \\ \n \u{1} é 𝄞": ["": .string("\u{7f}\u{2028}\u{feff}")], "a again": .array([]),
    ]
    #expect(try JSON.parse(value.text) == value)
    #expect(try JSON.parse(value.indentedText()) == value)
  }

  @Test func `escapes are read`() throws {
    #expect(try JSON.parse(#"  "\u00e9\ud834\udd1e\/\b" "#) == .string("é𝄞/\u{8}"))
  }

  @Test(arguments: [
    "", "{", "[1,]", "{\"a\"}", "{\"a\":1,}", "nul", "1 2", "\"", "\"\\x\"", "\"\\ud834\"", "+1",
    ".5", "1e999", "--1", "{a:1}", "\"\u{1}\"", "\"\\u12", String(repeating: "[", count: 100_000),
  ])
  func `what is not JSON is refused`(text: String) {
    #expect(throws: JSONError.self) { try JSON.parse(text) }
  }

  @Test func `a number that is not finite is written as null`() {
    #expect(JSON.finite(.nan).text == "null")
    #expect(JSON.finite(-.infinity).text == "null")
    #expect(JSON.finite(0.25).text == "0.25")
  }
}
