import Credits
import Testing

@testable import creditctl

@Suite("Plans and alerts on the command line")
struct PlanTests {
  private let tool = Tool()

  @Test("give an allowance, are shown, and end with their period or at once")
  func plan() {
    tool("open", "alice")
    let begun = tool("plan", "subscribe", "alice", "pro", "--allowance", "1000", "--per", "month", "--rollover", "50")
    #expect(
      begun.output.contains("alice got 1,000 credits; plan: pro, 1,000 a month, rolling over up to 50; renews 20"),
      "\(begun.complaint)")
    let shown = tool("plan", "show", "alice").output
    #expect(shown.contains("allowance  1,000 credits a month"))
    #expect(shown.contains("rollover   up to 50"))
    #expect(tool("plan", "show", "alice", "--json").output.contains("\"name\":\"pro\",\"allowance\":\"1000\""))
    #expect(tool("balance", "alice").output.contains("plan       pro, 1,000 a month, rolling over up to 50; renews 20"))
    tool("debit", "alice", "1", "--request", "r")
    #expect(tool("explain", "alice", "r").output.contains("  plan pro"))
    #expect(tool("plan", "cancel", "alice").output.contains("the plan of alice ends on 20"))
    #expect(tool("balance", "alice").output.contains("; ends 20"))
    #expect(tool("plan", "cancel", "alice", "--at-once").output.contains("has ended; 0 credits are available"))
    #expect(tool("plan", "show", "alice").code == 1)
    #expect(tool("history", "alice").output.contains("plan-ended"))
  }

  @Test("have an anchor, and change at the end of a period")
  func change() {
    tool("open", "alice")
    tool("plan", "subscribe", "alice", "basic", "--allowance", "10", "--per", "day", "--anchor", "2026-01-01T06:00:00Z")
    #expect(tool("plan", "show", "alice").output.contains("anchor     2026-01-01T06:00:00Z"))
    let changed = tool("plan", "subscribe", "alice", "pro", "--allowance", "1000", "--per", "month", "--json")
    #expect(changed.output.contains("\"change\":{\"name\":\"pro\""), "\(changed.output)")
  }

  @Test("set and show levels of alerts, which events tell")
  func alerts() {
    tool("open", "alice")
    tool("grant", "alice", "100")
    #expect(tool("alert", "set", "alice", "20", "50").output.contains("alerts below 50 and 20; 100 credits"))
    tool("debit", "alice", "60")
    let shown = tool("alert", "show", "alice").output
    #expect(shown.contains("50  told") && shown.contains("20  armed"), "\(shown)")
    #expect(tool("alert", "show", "alice", "--json").output.contains("\"alerts\":[\"50\",\"20\"]"))
    tool("events", "add", "mailer")
    #expect(tool("events", "read", "mailer", "--kind", "alerted").lines.count == 1)
    #expect(tool("alert", "off", "alice").output.contains("has no alerts"))
    #expect(!tool("balance", "alice").output.contains("alerts"))
  }

  @Test("that are refused end with 1")
  func refused() {
    tool("open", "alice")
    #expect(tool("plan", "cancel", "alice").complaint.contains("the account has no plan"))
    #expect(tool("plan", "cancel", "alice", "--json").output.contains("\"code\":\"no-plan\""))
    #expect(tool("plan", "show", "nobody").code == 1)
    #expect(tool("alert", "set", "nobody", "1").code == 1)
    #expect(tool("alert", "show", "nobody").code == 1)
  }

  @Test(
    "that make no sense end with 2",
    arguments: [
      ["plan", "subscribe", "a", "p", "--allowance", "0", "--per", "month"],
      ["plan", "subscribe", "a", "p", "--allowance", "1", "--per", "fortnight"],
      ["plan", "subscribe", "a", "", "--allowance", "1", "--per", "day"],
      ["plan", "subscribe", "a", "p", "--allowance", "1", "--per", "day", "--rollover=-1"],
      ["plan", "subscribe", "a", "p", "--per", "day"], ["alert", "set", "a"], ["alert", "set", "a", "0"],
      ["alert", "set", "a"] + (1...17).map(String.init),
    ])
  func usage(arguments: [String]) { #expect(tool.bare(arguments + ["--store", tool.store]).code == 2) }
}
