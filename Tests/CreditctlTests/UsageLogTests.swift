import Credits
import Glibc
import Testing

@testable import creditctl

@Suite("A usage log")
struct UsageLogTests {
  private let folder = TemporaryFolder()

  private func lines(_ text: String, _ columns: UsageColumns = UsageColumns()) throws(UsageLogError) -> [UsageLine] {
    let log = try UsageLog(path: folder.write(text, to: "log"), columns: columns)
    var lines: [UsageLine] = []
    while let line = try log.next() { lines.append(line) }
    return lines
  }

  private static let header = "TIMESTAMP,ContextTokens,GeneratedTokens"

  @Test("may have CRLF, seven fractional digits, and no newline at the end")
  func azure() throws {
    let read = try lines(
      "\(Self.header)\r\n2023-11-16 18:17:03.9799600,4808,10\r\n2023-11-16 18:17:04.0319600,3180,8")
    let time = Timestamp("2023-11-16T18:17:03.979960Z")
    #expect(read.map(\.context) == [4808, 3180])
    #expect(read.map(\.generated) == [10, 8])
    #expect(read.first?.time == time)
  }

  @Test("may have other columns, in any order, quotes, a byte order mark and empty lines")
  func columns() throws {
    let read = try lines(
      "\u{FEFF}model,out,in\n\"a,\"\"b\"\"\",5,\"7\"\n\nc,1,2\n",
      UsageColumns(time: nil, context: "in", generated: "out"))
    #expect(read == [UsageLine(context: 7, generated: 5), UsageLine(context: 2, generated: 1)])
  }

  @Test("may be JSON Lines, whatever else the objects have")
  func jsonLines() throws {
    let read = try lines(
      """
      {"TIMESTAMP":"2023-11-16T18:17:03Z","ContextTokens":4808,"GeneratedTokens":"10"}
       {"x":[1,{"y":"}\\""},[]],"GeneratedTokens": 8 ,"ContextTokens":3180,"TIMESTAMP":"2023-11-16","z":null}
      """)
    #expect(read.map(\.context) == [4808, 3180])
    #expect(read.map(\.generated) == [10, 8])
  }

  @Test("is read in pieces: lines that cross the edge of a piece come whole")
  func pieces() throws {
    let wide = String(repeating: "x", count: 50_000)
    let body = (0..<40).map { "2023-11-16,\($0),1,\(wide)" }.joined(separator: "\n")
    #expect(try lines("\(Self.header),Model\n\(body)").map(\.context) == Array(0..<40))
  }

  @Test(
    "that is hostile gives an error with the line",
    arguments: [
      ("\(header)\n2023-11-16,1,-5", 2, "negative"), ("\(header)\n2023-11-16,1,5\n2023-11-16,1.5,5", 3, "whole number"),
      ("\(header)\n2023-11-16,99999999999999999999,5", 2, "too large"), ("\(header)\n2023-11-16,,5", 2, "empty"),
      ("\(header)\nyesterday,1,5", 2, "no time"), ("\(header)\n2023-11-16,1", 2, "2 columns"),
      ("\(header)\n2023-11-16,1,5,6", 2, "4 columns"), ("\(header)\n2023-11-16,\"1,5", 2, "not closed"),
      ("\(header)\n2023-11-16,\"1\"x,5", 2, "after a quoted"), ("a,b,c\n1,2,3", 1, "no column TIMESTAMP"),
      ("\(header),TIMESTAMP\n", 1, "twice"),

      ("\(header)\n2023-11-16,1\u{0},5", 2, "whole number"), ("{\"ContextTokens\":1}", 1, "no key GeneratedTokens"),
      ("{\"ContextTokens\":1", 1, "no whole"), ("{}\n", 1, "no key"), ("{\"a\":1} x", 1, "after its"),
      ("{\"ContextTokens\":1,\"ContextTokens\":2}", 1, "twice"), ("{\"a\"}", 1, "without a value"),
      ("{\"a\":\"", 1, "does not end"),
      ("{\"TIMESTAMP\":\"x\",\"ContextTokens\":-1,\"GeneratedTokens\":1}", 1, "negative"),
    ])
  func hostile(text: String, line: Int, reason: String) {
    do throws(UsageLogError) {
      _ = try lines(text)
      Issue.record("the log was taken")
    } catch {
      #expect(error.line == line)
      #expect(error.reason.contains(reason), "\(error.sentence)")
      #expect(error.sentence.utf8.count < 300)
    }
  }

  @Test("with lines that are too long, or values nested too deep, is refused", arguments: [70_000, 300_000, 700_000])
  func long(count: Int) {
    let digits = "\(Self.header)\n" + String(repeating: "9", count: count)
    let brackets = "{\"a\":" + String(repeating: "[", count: count / 20)
    for (text, line, reason) in [
      (digits, 2, "longer than"), (digits + "\n", 2, "longer than"), (brackets, 1, "too deep"),
    ] {
      do throws(UsageLogError) {
        _ = try lines(text)
        Issue.record("the log was taken")
      } catch {
        #expect(error.line == line && error.reason.contains(reason), "\(error.sentence)")
      }
    }
  }

  @Test("that is empty, missing, or no file is refused")
  func noLog() {
    #expect(throws: UsageLogError.self) { try lines("") }
    #expect(throws: UsageLogError.self) { try UsageLog(path: folder.file("none"), columns: UsageColumns()) }
    #expect(throws: UsageLogError.self) { try UsageLog(path: folder.path, columns: UsageColumns()) }
    #expect(throws: UsageLogError.self) { try UsageLog(path: "/dev/zero", columns: UsageColumns()) }
  }

  @Test("that is a named pipe is refused at once, though nobody writes to it", .timeLimit(.minutes(10)))
  func pipe() {
    let path = folder.file("pipe")
    // Safe: a path is a terminated string that outlives the call.
    #expect(unsafe mkfifo(path, 0o600) == 0)
    #expect(throws: UsageLogError.self) { try UsageLog(path: path, columns: UsageColumns()) }
  }

  /// Once, keys were compared as strings, which are equal if they look alike: that sorts the accents of every letter,
  /// in time that grows with the square of their number. A line of nothing but accents took a second.
  @Test("has the columns whose names are the same bytes; that they look alike is not enough")
  func bytes() throws {
    let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
    let columns = UsageColumns(time: nil, context: composed, generated: "out")
    #expect(try lines("\(composed),out\n1,2", columns).map(\.context) == [1])
    #expect(try lines("{\"\(composed)\":1,\"out\":2}", columns).map(\.context) == [1])
    for text in ["\(decomposed),out\n1,2", "{\"\(decomposed)\":1,\"out\":2}"] {
      #expect(throws: UsageLogError.self) { try lines(text, columns) }
    }
    let accents = String(repeating: "\u{301}\u{323}", count: 16_000)
    #expect(try lines("{\"a\(accents)\":0,\"\(composed)\":1,\"out\":2}", columns).map(\.context) == [1])
  }

  @Test("that changes between two readings is refused")
  func changed() throws {
    let path = folder.write("\(Self.header)\n2023-11-16,1,5\n", to: "log")
    let log = try UsageLog(path: path, columns: UsageColumns())
    _ = try log.next()
    try log.rewind()
    folder.write("\(Self.header)\n2023-11-16,1,5\n2023-11-16,1,5\n", to: "log")
    #expect(throws: UsageLogError.self) { try log.rewind() }
  }

  @Test(
    "is priced exactly, rounded up once, at the end",
    arguments: [
      (Amount(1), Amount(3), Int64(1_155), Int64(211), Amount(millionths: 1_788_000)), (1, 3, 0, 0, 0),
      (Amount(millionths: 1), Amount(millionths: 1), 1, 1, Amount(millionths: 1)),
      (Amount(millionths: 500), Amount(millionths: 500), 1, 1, Amount(millionths: 1)),
      (Amount(millionths: 1), 0, 1_001, 5, Amount(millionths: 2)),
    ])
  func prices(context: Amount, generated: Amount, used: Int64, made: Int64, price: Amount) throws {
    let prices = try ReplayPrices(
      published: [], given: ReplayBook.book(context: context, generated: generated), now: .now)
    let usage = prices.usage(of: UsageLine(context: used, generated: made), feature: "chat")
    #expect(try prices.price(of: usage).get() == price)
  }

  @Test("whose price is beyond an amount, or that has no price, is refused")
  func noPrice() throws {
    let prices = try ReplayPrices(
      published: [], given: ReplayBook.book(context: .max, generated: .max), now: .now)
    func refusal(_ line: UsageLine) -> String? {
      guard case .failure(let error) = prices.price(of: prices.usage(of: line, feature: "chat")) else { return nil }
      return error.reason
    }
    #expect(refusal(UsageLine(context: UsageLine.maximumTokens, generated: 1)) == "costs more than an amount can hold")
    #expect(refusal(UsageLine(context: 1, generated: 1, feature: "video"))?.contains("unknown feature") == true)
  }

  @Test("names features in a column where it has one, if that is asked for")
  func features() throws {
    let csv = "\(Self.header),Feature\n2023-11-16,1,5,code\n2023-11-16,1,5,\"chat\""
    #expect(try lines(csv).map(\.feature) == ["code", "chat"])
    #expect(try lines(csv, UsageColumns(feature: .none)).map(\.feature) == [nil, nil])
    let json = "{\"Feature\":\"code\",\"ContextTokens\":1,\"GeneratedTokens\":5,\"kind\":\"chat\"}"
    #expect(try lines(json, UsageColumns(time: nil)).map(\.feature) == ["code"])
    #expect(try lines(json, UsageColumns(time: nil, feature: .required("kind"))).map(\.feature) == ["chat"])
    for text in [csv, json] {
      #expect(throws: UsageLogError.self) { try lines(text, UsageColumns(time: nil, feature: .required("none"))) }
    }
    #expect(throws: UsageLogError.self) { try lines("\(Self.header),Feature\n2023-11-16,1,5,") }
  }

  @Test(
    "is of the feature that its file is called after",
    arguments: [
      ("code.csv", "code"), ("/data/code-2023.csv", "code"), ("Code_11.jsonl", "code"), ("conv.csv", "chat"),
      ("codex.csv", "chat"), ("code/usage.csv", "chat"), ("", "chat"), ("/", "chat"),
    ])
  func fileNames(path: String, feature: String) {
    #expect(ReplayBook.feature(ofFile: path, in: ReplayBook.book(context: 1, generated: 3)) == feature)
  }
}
