import Credits
import Testing

@testable import creditctl

@Suite("A replay")
struct ReplayTests {
  private let tool = Tool()

  private func log(_ lines: Int) -> String {
    var generator = UsageGenerator(seed: 3, start: .zero)
    let text =
      UsageGenerator.Line.csvHeader + "\r\n"
      + (0..<lines).map { _ in generator.next().csv }
      .joined(separator: "\r\n")
    return tool.folder.write(text, to: "log.csv")
  }

  private func value(_ key: String, _ run: Tool.Run) -> Substring? {
    guard let start = run.output.firstRange(of: "\"\(key)\":")?.upperBound else { return nil }
    return run.output[start...].prefix { $0 != "," && $0 != "}" }
  }

  @Test("G2: of the same name a second time is all replays and leaves every balance as it is")
  func twice() {
    let log = log(3_000)
    let arguments = [
      "replay", log, "--run", "a", "--accounts", "50", "--credits", "60", "--json", "--store", tool.store,
    ]
    let first = tool.bare(arguments)
    #expect(first.code == 0, "\(first.complaint)")
    #expect(value("lines", first) == "3000")
    #expect(value("replays", first) == "0")
    let denials = value("denials", first).flatMap { Int($0) } ?? 0
    let debits = value("debits", first).flatMap { Int($0) } ?? 0
    #expect(denials > 0 && debits > 0 && denials + debits == 3_000)
    #expect(value("clean", first) == "true")
    let second = tool.bare(arguments)
    #expect(value("replays", second) == "3000")
    #expect(value("replayed_denials", second) == value("denials", first))
    #expect(value("spent", second) == "\"0\"")
    #expect(value("granted_now", second) == "0")
    #expect(value("balances_sha256", second) == value("balances_sha256", first))
    #expect(tool.bare(["verify", "--store", tool.store]).code == 0)
  }

  @Test("G1, G4: ends with the same balances however many callers and whatever the batch")
  func deterministic() {
    let log = log(500)
    let digests = [["1", "1"], ["8", "0"], ["3", "64"], ["16", "1000"]].map { setting in
      let run = tool.bare([
        "replay", log, log, "--repeat", "2", "--accounts", "20", "--credits", "40", "--json", "--callers", setting[0],
        "--batch", setting[1], "--store", tool.folder.file("store-\(setting[0])"),
      ])
      #expect(value("lines", run) == "2000", "\(run.complaint)")
      return value("balances_sha256", run)
    }
    #expect(Set(digests).count == 1)
    #expect(digests[0]?.count == 66)
  }

  @Test("of a bad log debits nothing, and does not even create the store")
  func badLog() {
    let log = tool.folder.write(
      "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16,1,5\n2023-11-16,1,-5\n", to: "bad.csv")
    let run = tool.bare(["replay", log, "--store", tool.store])
    #expect(run.code == 2)
    #expect(run.complaint.contains("bad.csv, line 3: GeneratedTokens is negative: '-5'"))
    #expect(!tool.folder.names.contains("store"))
    #expect(tool.bare(["replay", log, "--store", tool.store, "--json"]).output.contains("\"code\":\"bad-input\""))
  }

  @Test("records lines that cost nothing as free")
  func free() {
    let log = tool.folder.write("{\"c\":0,\"g\":0}\n{\"c\":1,\"g\":0}\n", to: "log.jsonl")
    let run = tool.bare([
      "replay", log, "--store", tool.store, "--time-column", "none", "--context-column", "c", "--generated-column", "g",
      "--context-rate", "0.000001", "--accounts", "1", "--json",
    ])
    #expect(value("free", run) == "1", "\(run.complaint)")
    #expect(value("debits", run) == "1")
    #expect(value("spent", run) == "\"0.000001\"")
  }

  @Test("of a name with other credits is refused, with other features a conflict, with new prices a replay")
  func conflicts() {
    let log = log(10)
    func run(_ credits: String, _ options: String...) -> Tool.Run {
      tool.bare(
        ["replay", log, "--run", "a", "--accounts", "2", "--credits", credits, "--json", "--store", tool.store]
          + options)
    }
    #expect(run("100").code == 0)
    let other = run("200")
    #expect(other.code == 2)
    #expect(other.output.contains("other credits"))
    let dearer = run("100", "--context-rate", "2")
    #expect(value("version", dearer) == "2")
    #expect(value("replays", dearer) == "10", "\(dearer.complaint)")
    #expect(run("100", "--feature", "code").output.contains("\"conflict\":"))
  }

  @Test("publishes a small book where there is none, once, and then uses it")
  func smallBook() {
    let log = log(20)
    let first = tool("replay", log, "--accounts", "2")
    #expect(first.output.contains("prices      version 1, creditctl replay, published now"), "\(first.complaint)")
    #expect(first.output.contains("for chat"))
    #expect(first.output.contains("for code"))
    let second = tool("replay", log, "--accounts", "2")
    #expect(second.output.contains("prices      version 1, creditctl replay\n"))
    #expect(tool("price", "list").lines.count == 2)
  }

  @Test("prices through the book that it is given, and publishes that once")
  func givenBook() {
    let log = tool.folder.write("ContextTokens,GeneratedTokens\n2000,500\n", to: "code-1.csv")
    let book = tool.folder.write(
      """
      {"name": "mine", "features": [{"name": "code", "rates": [{"unit": "context", "amount": "0.5", "per": 1000},
       {"unit": "generated", "amount": 2, "per": 1000}]}]}
      """, to: "book.json")
    for published in ["true", "false"] {
      let run = tool("replay", log, "--book", book, "--run", "a", "--accounts", "1", "--time-column", "none", "--json")
      #expect(value("published_now", run) == Substring(published), "\(run.complaint)")
      #expect(run.output.contains("\"name\":\"mine\""))
    }
    #expect(tool("balance", "replay-000001").output.contains("spent      2\n"))
    // The feature that is not in the book is found before anything is debited.
    let bad = tool("replay", log, "--feature", "chat", "--time-column", "none")
    #expect(bad.code == 2)
    #expect(bad.complaint.contains("code-1.csv, line 2: has no price in the book mine, unknown feature"))
  }

  @Test(
    "with options that contradict each other is refused",
    arguments: [
      ["--book", "b.json", "--context-rate", "2"], ["--feature", "chat", "--feature-column", "kind"],
      ["--feature", ""], ["--generated-rate", "-1"], ["--book", "/none.json"],
    ])
  func contradictions(options: [String]) {
    #expect(tool.bare(["replay", log(1), "--store", tool.store] + options).code == 2)
    #expect(!tool.folder.names.contains("store"))
  }
}
