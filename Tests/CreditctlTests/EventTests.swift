import Credits
import Testing

@testable import creditctl

@Suite("Events on the command line")
struct EventTests {
  private let tool = Tool()

  private func prepare() {
    tool("open", "alice")
    tool("grant", "alice", "100")
    tool("debit", "alice", "100")
    tool("events", "add", "mailer")
  }

  @Test("are read again until they are acknowledged, debits left out")
  func reading() {
    prepare()
    for _ in 0..<2 {
      let read = tool("events", "read", "mailer")
      #expect(read.lines.count == 3, "\(read.output)\(read.complaint)")
      #expect(read.output.contains("alice  granted  100  purchase"))
      #expect(read.output.contains("exhausted"))
    }
    #expect(tool("events", "read", "mailer", "--kind", "debited", "--json").lines.count == 1)
    let some = tool("events", "read", "mailer", "--limit", "1", "--acknowledge", "--json")
    #expect(some.lines.count == 1 && some.output.contains("\"kind\":\"opened\""))
    #expect(tool("events", "read", "mailer", "--acknowledge").lines.count == 2)
    #expect(tool("events", "read", "mailer").output.isEmpty)
    #expect(tool("events", "list").output.contains("mailer     entry 4          0"))
  }

  @Test("have consumers that are added, acknowledge by hand, and are removed")
  func consumers() {
    prepare()
    #expect(tool("events", "add", "mailer").output.contains("was known"))
    #expect(tool("events", "add", "late", "--from-now", "--json").output.contains("\"cursor\":4"))
    #expect(tool("events", "add", "later", "--after", "2").output.contains("begins after entry 2"))
    #expect(tool("events", "acknowledge", "mailer", "2").output.contains("seen all up to entry 2"))
    #expect(tool("events", "read", "mailer").lines.count == 1)
    #expect(tool("events", "remove", "late").output == "removed consumer late\n")
    #expect(tool("events", "list", "--json").output.contains("[{\"consumer\":\"later\",\"cursor\":2}"))
    #expect(tool("stats").output.contains("consumers     2"))
  }

  @Test("are read and followed while a service has the store open, and acknowledged by that service only")
  func alongside() async throws {
    prepare()
    let store = try CreditStore.open(at: tool.store)
    #expect(tool("events", "read", "mailer").lines.count == 3)
    let locked = tool("events", "read", "mailer", "--acknowledge")
    #expect(locked.code == 3)
    #expect(locked.complaint.contains("let that process acknowledge"))
    #expect(tool("events", "add", "other").code == 3)
    let following = tool.start([
      "events", "follow", "mailer", "--kind", "granted", "--count", "3", "--interval", "5ms", "--json", "--store",
      tool.store,
    ])
    for number in 1...2 as ClosedRange<UInt64> {
      try await store.grant(1, to: "alice", source: .allowance, request: RequestID(number))
    }
    let run = following.wait()
    try await store.close()
    #expect(run.code == 0, "\(run.complaint)")
    #expect(run.lines.count == 3)
    #expect(run.lines.allSatisfy { $0.contains("\"kind\":\"granted\"") })
  }

  @Test("follow for a time, and end")
  func following() {
    prepare()
    let run = tool("events", "follow", "mailer", "--for", "10ms", "--interval", "5ms")
    #expect(run.code == 0)
    #expect(run.lines.count == 3)
  }

  @Test("of consumers that are unknown end with 1", arguments: ["read", "follow", "remove", "acknowledge"])
  func unknown(verb: String) {
    tool("open")
    let arguments = ["events", verb, "nobody"] + (verb == "acknowledge" ? ["1"] : []) + ["--store", tool.store]
    #expect(tool.bare(arguments).complaint.contains("there is no consumer nobody"))
    #expect(tool.bare(arguments + ["--json"]).output.contains("\"code\":\"unknown-consumer\""))
    #expect(tool.bare(arguments).code == 1)
  }

  @Test(
    "that make no sense end with 2",
    arguments: [
      ["add"], ["add", ""], ["add", "x", "--after", "1", "--from-now"], ["read", "x", "--limit", "0"],
      ["read", "x", "--kind", "nothing"], ["follow", "x", "--interval", "0ms"], ["follow", "x", "--count", "0"],
      ["acknowledge", "x"],
    ])
  func usage(arguments: [String]) {
    #expect(tool.bare(["events"] + arguments + ["--store", tool.store]).code == 2)
  }
}
