import Credits
import Testing

@testable import creditctl

@Suite("A replay")
struct ReplayTests {
  private let tool = Tool()

  private func log(_ lines: Int) -> String {
    var generator = UsageGenerator(seed: 3, start: .zero)
    let text =
      "TIMESTAMP,ContextTokens,GeneratedTokens\r\n"
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

  @Test("counts lines that cost nothing as free, and does not debit them")
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

  @Test("of a name with other credits is refused; with other prices its requests are conflicts")
  func conflicts() {
    let log = log(10)
    func run(_ credits: String, _ rate: String) -> Tool.Run {
      tool.bare([
        "replay", log, "--run", "a", "--accounts", "2", "--credits", credits, "--context-rate", rate, "--json",
        "--store",
        tool.store,
      ])
    }
    #expect(run("100", "1").code == 0)
    let other = run("200", "1")
    #expect(other.code == 2)
    #expect(other.output.contains("other credits"))
    #expect(run("100", "2").output.contains("\"denials_by_reason\":{\"conflict\":10}"))
  }
}
