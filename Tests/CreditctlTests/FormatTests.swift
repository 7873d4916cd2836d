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
      ("a\u{2066}b\u{2069}", "a\\u{2066}b\\u{2069}"), ("x\u{AD}y", "x\\u{ad}y"), ("\u{E0041}", "\\u{e0041}"),
      ("\r\n", "\\u{d}\\u{a}"), ("a\u{2028}b\u{85}", "a\\u{2028}b\\u{85}"),
    ])
  func terminal(given: String, printed: String) { #expect(given.escapedForTerminal == printed) }

  @Test(
    "as a field of CSV is quoted where it must be, and is no formula, and comes back as it was",
    arguments: [
      ("plain", "plain"), ("a,b", "\"a,b\""), ("say \"hi\"", "\"say \"\"hi\"\"\""), ("two\nlines", "\"two\nlines\""),
      ("=1+1", "\"'=1+1\""), ("+1", "\"'+1\""), ("-1", "\"'-1\""), ("@SUM(A1)", "\"'@SUM(A1)\""), ("", ""),
      ("'=1+1", "\"''=1+1\""), ("'", "\"''\""), ("\t=1", "\"'\t=1\""), ("\r=1", "\"'\r=1\""), ("\n=1", "\"'\n=1\""),
      ("  =1", "\"'  =1\""), ("\u{FEFF}=1", "\"'\u{FEFF}=1\""), ("\u{A0}@x", "\"'\u{A0}@x\""), ("＝1", "\"'＝1\""),
      ("a;=1", "\"a;=1\""), ("a\t=1", "\"a\t=1\""), (" x ", "\" x \""), ("a=1", "a=1"),
    ])
  func csv(given: String, printed: String) {
    #expect(given.asCellText.escapedForCSV == printed)
    // What a reader does: the quotes go, doubled ones become one, and then the first apostrophe goes.
    let isQuoted = printed.hasPrefix("\"")
    let field = isQuoted ? printed.dropFirst().dropLast().replacing("\"\"", with: "\"") : printed[...]
    let text = field.hasPrefix("'") ? field.dropFirst() : field
    #expect(Array(text.unicodeScalars) == Array(given.unicodeScalars))
  }

  @Test("on a terminal as CSV cannot steer it, and in a file is whole")
  func exported() throws {
    let tool = Tool()
    let text = "two\nlines \u{1B}[2J\u{202E}"
    tool("open", "alice")
    tool("grant", "alice", "5", "--reference", text)
    var entries: [JournalEntry] = []
    try CreditReader.open(at: tool.store).forEachEntry { entry throws(StoreError) in
      entries.append(entry)
      return true
    }
    let entry = try #require(entries.last)
    #expect(ExportCommand.line(entry, .csv, forTerminal: false).contains(text))
    let line = ExportCommand.line(entry, .csv, forTerminal: true)
    #expect(
      line.contains("two\\u{a}lines \\u{1b}[2J\\u{202e}") && !line.unicodeScalars.contains(where: \.steersTerminal))
    let json = ExportCommand.line(entry, .jsonl, forTerminal: false)
    #expect(json.contains(#"two\nlines \u001b[2J\u202e"#) && !json.unicodeScalars.contains(where: \.steersTerminal))
  }

  @Test("as JSON keeps the order of keys, and escapes quotes and control characters")
  func json() {
    let value: JSON = [
      "b": 1, "a": ["x", nil, true], "text": "say \"hi\"\\\n\u{1B}\u{7F}", "big": .number(UInt64.max),
      "half": .decimal(0.5), "\n\u{202E}": "\u{E0041}\u{2028}",
    ]
    #expect(
      value.text
        == #"{"b":1,"a":["x",null,true],"text":"say \"hi\"\\\n\u001b\u007f","big":18446744073709551615,"half":0.5,"#
        + #""\n\u202e":"\udb40\udc41\u2028"}"#)
    #expect(JSON.escaped("{\n  \"a\": \"\u{202E}\u{7F}\"\n}") == "{\n  \"a\": \"\\u202e\\u007f\"\n}")
  }

  @Test(
    "as the line of a seal names one file, whatever the name",
    arguments: [
      ("a.csv", "00  a.csv"), ("a b", "00  a b"), ("a\\b", "\\00  a\\\\b"), ("a\n00  b", "\\00  a\\n00  b"),
      ("a\r", "\\00  a\\r"),
    ])
  func seal(name: String, line: String) { #expect(SealedFile.line("00", name) == line) }

  @Test("as a complaint of the argument parser has no lines that an argument brought along")
  func complaint() {
    let sentence = "Unexpected argument 'a\nError: b'\nUsage: creditctl"
    #expect(
      Program.onTheirLines(sentence, ["a\nError: b"]) == "Unexpected argument 'a\\u{a}Error: b'\nUsage: creditctl")
    #expect(
      Program.onTheirLines("no \"x\ny\" here\nUsage", ["--count=x\ny", "plain"]) == "no \"x\\u{a}y\" here\nUsage")
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
