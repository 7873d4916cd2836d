import Credits
import Testing

@testable import creditctl

@Suite("What is printed")
struct FormatTests {
  @Test(
    "to a terminal cannot steer it",
    arguments: [
      ("plain Ünïcödé 漢字", "plain Ünïcödé 漢字"), ("\u{1B}[31mred", "\\u{1b}[31mred"), ("a\nb\tc", "a\\u{a}b\\u{9}c"),
      ("\u{202E}evil", "\\u{202e}evil"), ("\u{9B}2J", "\\u{9b}2J"), ("\u{0}", "\\u{0}"),
    ])
  func terminal(given: String, printed: String) { #expect(given.escapedForTerminal == printed) }

  @Test(
    "as a field of CSV is quoted where it must be, and is no formula",
    arguments: [
      ("plain", "plain"), ("a,b", "\"a,b\""), ("say \"hi\"", "\"say \"\"hi\"\"\""), ("two\nlines", "\"two\nlines\""),
      ("=1+1", "\"'=1+1\""), ("+1", "\"'+1\""), ("-1", "\"'-1\""), ("@SUM(A1)", "\"'@SUM(A1)\""), ("", ""),
    ])
  func csv(given: String, printed: String) { #expect(given.escapedForCSV == printed) }

  @Test("as JSON keeps the order of keys, and escapes quotes and control characters")
  func json() {
    let value: JSON = [
      "b": 1, "a": ["x", nil, true], "text": "say \"hi\"\\\n\u{1B}\u{7F}", "big": .number(UInt64.max),
      "half": .decimal(0.5),
    ]
    #expect(
      value.text
        == #"{"b":1,"a":["x",null,true],"text":"say \"hi\"\\\n\u001b\u007f","big":18446744073709551615,"half":0.5}"#)
  }

  @Test(
    "of amounts is exact, with commas",
    arguments: [
      (Int128(0), "0"), (1_234_567_890_000, "1,234,567.89"), (-1, "-0.000001"), (999_999_000_000, "999,999"),
      (Int128(Int64.max) * 1000, "9,223,372,036,854,775.807"),
    ])
  func amounts(millionths: Int128, text: String) { #expect(millionths.credits == text) }

  @Test(
    "of durations has the unit that reads best",
    arguments: [
      (Duration.nanoseconds(999), "999 ns"), (.nanoseconds(1_500), "1.50 µs"), (.microseconds(12_345), "12.3 ms"),
      (.seconds(90), "90.0 s"), (.seconds(150), "2 min 30 s"),
    ])
  func durations(duration: Duration, text: String) { #expect(duration.brief == text) }

  @Test("in a table lines up, and is cut to the width")
  func table() {
    var table = Table([("name", .left), ("amount", .right), ("note", .left)])
    table.add(["a", "1,000.5", "long enough to be cut"])
    table.add(["bbbbbb", "2", ""])
    #expect(table.lines(width: 24) == ["name     amount  note", "a       1,000.5  long e…", "bbbbbb        2"])
  }

  @Test("as progress never passes the width", arguments: [10, 20, 40, 79, 200])
  func progress(width: Int) {
    for part in [-1, 0, 0.5, 1, 2, Double.nan] {
      #expect(Progress.line("verifying", part, "1,234,567/s", width: width).count <= width)
    }
    #expect(Progress.line("x", 0.5, "", width: 24) == "x  [#######.......]  50%")
  }
}
