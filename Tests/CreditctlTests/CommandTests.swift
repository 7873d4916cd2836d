import Credits
import Glibc
import Testing

@testable import creditctl

@Suite("The program")
struct CommandTests {
  private let tool = Tool()

  @Test("opens, grants, debits, and shows what it did")
  func tour() {
    #expect(tool("open", "alice").code == 0)
    #expect(
      tool("grant", "alice", "500", "--reference", "order-17", "--request", "o1").output.contains("500 available"))
    #expect(tool("debit", "alice", "30.5", "--request", "r1").output.contains("469.5 left"))
    #expect(tool("balance", "alice").output.contains("available  469.5\n"))
    #expect(tool("history", "alice").lines.count == 4)
    #expect(tool("explain", "alice", "r1").output.contains("asked      a debit of 30.5 credits"))
    #expect(tool("explain", "alice", "r1").output.contains("purchase order-17"))
    #expect(tool("stats").output.contains("last entry    3"))
    #expect(tool("verify").output.contains("everything agrees"))
  }

  @Test("G2: answers a repeated request as it did before, and changes nothing")
  func replays() {
    tool("open", "alice")
    tool("grant", "alice", "10", "--request", "g")
    #expect(tool("debit", "alice", "3", "--request", "r", "--json").output.contains("\"replay\":false"))
    let again = tool("debit", "alice", "3", "--request", "r", "--json")
    #expect(again.output.contains("\"available\":\"7\",\"replay\":true"))
    #expect(tool("debit", "alice", "4", "--request", "r").code == 1)
    #expect(tool("grant", "alice", "10", "--request", "g").output.contains("nothing changed"))
    #expect(tool("balance", "alice", "--json").output.contains("\"available\":\"7\""))
  }

  @Test("prints the request that it made, in a form that it takes")
  func newRequest() throws {
    tool("open", "alice")
    let granted = tool("grant", "alice", "10")
    let request = try #require(granted.output.split(whereSeparator: \.isWhitespace).last.map(String.init))
    #expect(request.hasPrefix("uuid:"))
    #expect(tool("explain", "alice", request).output.contains("granted 10 credits"))
  }

  @Test("ends with 1 where the rules decline")
  func declined() {
    tool("open", "alice")
    let denied = tool("debit", "alice", "1")
    #expect(denied.code == 1)
    #expect(denied.output.isEmpty)
    #expect(denied.complaint.contains("0 credits are available and 1 are needed"))
    #expect(tool("debit", "alice", "1", "--json").output.contains("\"code\":\"insufficient\""))
    #expect(tool("debit", "nobody", "1").code == 1)
    #expect(tool("balance", "nobody").code == 1)
    #expect(tool("history", "nobody").code == 1)
    #expect(tool("explain", "alice", "none").code == 1)
    tool("freeze", "alice", "--reason", "chargeback")
    #expect(tool("debit", "alice", "1").complaint.contains("frozen"))
    tool("unfreeze", "alice")
    tool("close", "alice")
    #expect(tool("grant", "alice", "1").complaint.contains("closed for good"))
  }

  @Test(
    "ends with 2 where the arguments are wrong",
    arguments: [
      ["nonsense"], ["debit", "alice"], ["debit", "alice", "0"], ["debit", "alice", "1.2345678"],
      ["debit", "int:x", "1"],
      ["balance", "alice"], ["history", "alice", "--limit", "0"], ["trim", "--before", "soon"],
      ["replay", "/none.csv", "--accounts", "0"], ["open", "alice", "--label", "x"], ["generate", "--lines", "0"],
    ])
  func usage(arguments: [String]) {
    let run = tool.bare(arguments)
    #expect(run.code == 2)
    #expect(run.output.isEmpty)
    #expect(run.complaint.hasPrefix("creditctl: "))
    let json = tool.bare(arguments + ["--json"])
    #expect(json.code == 2)
    #expect(json.output.hasPrefix("{\"error\":{\"code\":\"usage\"") && json.lines.count == 1)
  }

  @Test("G10: ends with 3 where the store cannot do it: absent, no store, or open elsewhere")
  func storeErrors() async throws {
    #expect(tool("balance", "alice").code == 3)
    #expect(tool("debit", "alice", "1").complaint.contains("there is no store"))
    #expect(tool("verify", "--json").output.contains("\"code\":\"not-found\""))
    let other = TemporaryFolder()
    other.write("x", to: "file")
    #expect(tool.bare(["stats", "--store", other.path]).code == 3)
    let store = try CreditStore.open(at: tool.store)
    try await store.open("alice")
    let locked = tool("debit", "alice", "1")
    #expect(locked.code == 3)
    #expect(locked.complaint.contains("is open for writing in process \(getpid())"))
    try await store.close()
  }

  @Test("reads while a service has the store open, and watches balances change")
  func reading() async throws {
    let store = try CreditStore.open(at: tool.store)
    try await store.open("alice")
    try await store.grant(100, to: "alice", source: .allowance, request: "g")
    #expect(tool("balance", "alice").output.contains("available  100\n"))
    #expect(tool("verify").code == 0)
    let watching = tool.start(["watch", "alice", "--count", "3", "--interval", "5ms", "--json", "--store", tool.store])
    var run = watching.poll()
    var number: UInt64 = 0
    while run == nil {
      number += 1
      _ = try await store.debit(Amount(millionths: 1), from: "alice", request: RequestID(number))
      run = watching.poll()
    }
    try await store.close()
    #expect(run?.code == 0)
    #expect(run?.lines.count == 3)
    #expect(run?.lines.first?.contains("\"account\":\"\(AccountID("alice"))\"") == true)
  }

  @Test("G8: ends with 4 where the verification finds a problem, and names it")
  func damage() {
    tool("open", "alice", "mallory-mallory")
    tool("grant", "alice", "10")
    let path = tool.store + "/data.mdb"
    var bytes = TemporaryFolder.read(path)
    let text = Array("mallory-mallory".utf8)
    for start in bytes.indices.dropLast(text.count) where bytes[start..<(start + text.count)].elementsEqual(text) {
      bytes[start] ^= 1
    }
    TemporaryFolder.write(bytes, to: path)
    let found = tool("verify")
    #expect(found.code == 4)
    #expect(found.output.contains("PROBLEM: entry 2"))
    #expect(tool("verify", "--json").output.contains("\"clean\":false"))
  }

  @Test("never lets a label steer the terminal or a spreadsheet")
  func hostileLabels() {
    tool("open", "\u{1B}[2J=evil")
    tool("open", "=HYPERLINK(\"x\")")
    let balance = tool("balance", "\u{1B}[2J=evil")
    #expect(!balance.output.contains("\u{1B}"))
    #expect(balance.output.contains("\\u{1b}[2J=evil"))
    #expect(!tool("history", "\u{1B}[2J=evil", "--json").output.contains("\u{1B}"))
    #expect(tool("export", "--format", "csv").output.contains("\"'=HYPERLINK(\"\"x\"\")\""))
    #expect(!tool("balance", "\u{1B}[31m").complaint.contains("\u{1B}"))
  }

  @Test("exports with a seal, whole or not at all")
  func export() {
    tool("open", "alice", "bob")
    tool("grant", "alice", "10")
    let file = tool.folder.file("journal.jsonl")
    let exported = tool("export", "--output", file)
    #expect(exported.output.contains("exported 3 entries"))
    let seal = TemporaryFolder.text(file + ".sha256")
    #expect(seal.hasSuffix("  journal.jsonl\n"))
    let streamed = tool("export")
    #expect(streamed.output == TemporaryFolder.text(file))
    #expect(streamed.complaint.contains(seal.prefix(64)))
    #expect(tool("export", "--output", file).code == 2)
    #expect(tool("export", "--output", file, "--force", "--account", "bob").output.contains("exported 1 entries"))
    #expect(tool("export", "--from", "2", "--to", "2").lines.count == 1)
    #expect(tool("export", "--output", "/none/journal").code == 3)
    #expect(!tool.folder.names.contains { $0.contains(".part-") })
  }

  @Test("backs up to a folder that opens as a store, and trims")
  func backup() {
    tool("open", "alice")
    tool("grant", "alice", "10")
    let copy = tool.folder.file("copy")
    #expect(tool("backup", copy).code == 0)
    #expect(tool("backup", copy).code == 2)
    #expect(tool.bare(["balance", "alice", "--store", copy]).output.contains("available  10\n"))
    #expect(tool.bare(["debit", "alice", "1", "--store", copy]).code == 0)
    #expect(tool("trim", "--before", "1d", "--json").output.contains("\"entries\":0"))
  }

  @Test("has examples in the help of every command")
  func help() {
    let commands = [
      "open", "grant", "debit", "hold", "capture", "release", "correct", "freeze", "unfreeze", "close", "price", "plan",
      "alert", "refill", "packs", "buy", "method", "dispute", "balance", "history", "explain", "watch", "events",
      "verify", "stats", "export", "backup", "trim", "demo", "replay", "generate", "price publish", "price check",
      "price list", "price show", "price quote", "price example", "plan subscribe", "plan cancel", "plan show",
      "alert set", "alert off", "alert show", "refill on", "refill off", "refill show", "refill resume",
      "refill charge", "packs show", "packs set", "method add", "method list", "method remove", "events add",
      "events list", "events remove", "events read", "events follow", "events acknowledge",
    ]
    for command in commands {
      let help = tool.bare(command.split(separator: " ").map(String.init) + ["--help"])
      #expect(help.code == 0)
      #expect(
        ["\n", " "].contains { help.output.contains("\n  creditctl \(command)\($0)") }, "\(command)")
    }
    let help = tool.bare(["--help"])
    #expect(help.code == 0)
    #expect(help.output.contains("verify found a problem"))
    #expect(help.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
  }
}
