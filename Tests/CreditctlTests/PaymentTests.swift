import Credits
import Testing

@testable import creditctl

@Suite("Payment on the command line")
struct PaymentTests {
  private let tool = Tool()

  private func prepare() {
    tool("open", "alice")
    tool("grant", "alice", "100", "--request", "g")
    tool("method", "add", "alice", "tok_9sYkQ2xyz", "--brand", "visa", "--last-four", "4242", "--expires", "2030-11")
  }

  // MARK: Methods

  @Test("saves methods, shows them masked, and removes them")
  func methods() {
    prepare()
    let listed = tool("method", "list", "alice").output
    #expect(listed.contains("visa   ···· 4242  2030-11  tok_…2xyz"), "\(listed)")
    #expect(!tool("balance", "alice").output.contains("tok_9sYkQ2xyz"))
    #expect(tool("method", "list", "alice", "--json").output.contains("\"token\":\"tok_…2xyz\""))
    #expect(tool("method", "remove", "alice", "2").complaint.contains("no such payment method"))
    #expect(tool("method", "remove", "alice", "1", "--request", "r").output.contains("removed method 1 of alice"))
    #expect(tool("method", "list", "alice").output == "alice has no payment method\n")
  }

  @Test(
    "never takes a card number for a token, and does not print it",
    arguments: ["4242424242424242", "tok 4242 4242 4242 4242", "5555-5555-5555-4444", "378282246310005"])
  func cardNumbers(token: String) {
    tool("open", "alice")
    let run = tool("method", "add", "alice", token, "--brand", "visa", "--last-four", "4242", "--expires", "2030-11")
    #expect(run.code == 2)
    #expect(run.complaint.contains("card numbers are never accepted"))
    #expect(!run.complaint.contains("4242 4242") && !run.complaint.contains(token))
    let brand = tool("method", "add", "alice", "tok_1", "--brand", token, "--last-four", "1", "--expires", "2030-11")
    #expect(brand.complaint.contains("card numbers are never accepted"))
    #expect(tool("method", "list", "alice").output == "alice has no payment method\n")
  }

  // MARK: Purchases

  @Test("buys with a scripted provider, and says so")
  func buy() {
    prepare()
    let bought = tool("buy", "alice", "--pack", "500", "--request", "order-1")
    #expect(bought.code == 0, "\(bought.complaint)")
    #expect(bought.output.hasPrefix("no real card is charged: a scripted payment provider answers\n"))
    #expect(bought.output.contains("supplied alice with 500 credits for 20.00 USD; 600 were available then"))
    let again = tool("buy", "alice", "--pack", "500", "--request", "order-1", "--json")
    #expect(again.output.contains("\"outcome\":\"credited\"") && again.output.contains("\"replay\":true"))
    #expect(tool("balance", "alice").output.contains("available  600\n"))
    #expect(tool("buy", "alice", "--money", "35.00 USD", "--json").output.contains("\"credits\":\"875\""))
    #expect(tool("buy", "alice", "--credits", "25", "--json").output.contains("\"gateway\":\"scripted\""))
    #expect(tool("verify").code == 0)
  }

  @Test("ends a purchase that is declined with 1, and drives one that stays open on")
  func outcomes() {
    prepare()
    let declined = tool("buy", "alice", "--pack", "500", "--outcome", "decline")
    #expect(declined.code == 1)
    #expect(declined.output.contains("charge 1 was not paid: card declined"))
    for (outcome, status, request) in [("need-action", "needs action", "two"), ("unknown", "unknown", "three")] {
      let open = tool("buy", "alice", "--pack", "500", "--outcome", outcome, "--request", request)
      #expect(open.code == 0)
      #expect(open.output.contains("is open: \(status)"))
      #expect(tool("balance", "alice").output.contains(status))
      let settled = tool("buy", "alice", "--pack", "500", "--request", request, "--json")
      #expect(settled.output.contains("\"outcome\":\"credited\""), "\(settled.output)")
    }
    #expect(tool("balance", "alice").output.contains("available  1,100\n"))
  }

  @Test("leaves charges of others alone")
  func others() {
    prepare()
    tool("open", "bob")
    tool("method", "add", "bob", "tok_bob", "--brand", "visa", "--last-four", "0000", "--expires", "2030-11")
    tool("refill", "on", "bob", "--below", "10", "--pack", "500", "--at-most", "100.00 USD")
    #expect(tool("buy", "alice", "--pack", "500").code == 0)
    let bob = tool("refill", "show", "bob").output
    #expect(bob.contains("refill     due"), "\(bob)")
    #expect(tool("balance", "bob").output.contains("available  0\n"))
  }

  @Test("refuses what is not for sale, and accounts without a method")
  func notForSale() {
    prepare()
    #expect(tool("buy", "alice", "--pack", "77").complaint.contains("choose one of 500, 2500, 12500"))
    #expect(tool("buy", "alice", "--money", "0.50 USD").code == 2)
    tool("open", "bob")
    let without = tool("buy", "bob", "--pack", "500", "--json")
    #expect(without.code == 1)
    #expect(without.output.contains("\"code\":\"no-method\""))
  }

  @Test("shows and sets what is for sale")
  func packs() {
    tool("open")
    #expect(tool("packs").output.contains("2,500  100.00 USD"))
    #expect(tool("packs").output.contains("custom amounts at 25 credits for 1.00 USD, from 1.00 USD to 10000.00 USD"))
    let json = tool("packs", "--json").output
    let file = tool.folder.write(json, to: "packs.json")
    #expect(tool("packs", "set", file).output.contains("nothing changed"))
    let other = tool.folder.write("{\"packs\":[{\"credits\":10,\"price\":\"1.00 EUR\"}]}", to: "other.json")
    #expect(tool("packs", "set", other).output == "1 pack is for sale now\n")
    #expect(tool("packs", "show").output.contains("custom amounts are not sold"))
    let bad = tool.folder.write("{\"packs\":[{\"credits\":0,\"price\":\"1.00 EUR\"}]}", to: "bad.json")
    let refused = tool("packs", "set", bad, "--json")
    #expect(refused.code == 2)
    #expect(refused.output.contains("packs[0].credits"))
  }

  // MARK: Auto-refill

  @Test("switches auto-refill on, plays the provider, and switches it off")
  func refill() {
    prepare()
    let on = tool(
      "refill", "on", "alice", "--below", "50", "--pack", "500", "--at-most", "100.00 USD", "--consent", "terms 1")
    #expect(
      on.output.contains("below 50 it buys 500 credits for 20.00 USD, at most 100.00 USD a month"), "\(on.complaint)")
    #expect(tool("refill", "charge", "alice").complaint.contains("no open refill: auto-refill is armed"))
    tool("debit", "alice", "70")
    #expect(tool("refill", "show", "alice").output.contains("refill     due"))
    #expect(tool("balance", "alice", "--json").output.contains("\"refill\":{\"state\":\"due\""))
    let charged = tool("refill", "charge", "alice")
    #expect(charged.output.contains("refilled alice with 500 credits for 20.00 USD"), "\(charged.complaint)")
    let shown = tool("refill", "show", "alice").output
    #expect(shown.contains("charged    20.00 USD of 100.00 USD in this month"))
    #expect(shown.contains("consent    terms 1"))
    #expect(tool("refill", "off", "alice").output.contains("auto-refill of alice is off"))
    #expect(tool("refill", "resume", "alice").complaint.contains("auto-refill is off"))
  }

  @Test("resumes an account that declines have stopped")
  func resume() {
    prepare()
    tool("refill", "on", "alice", "--below", "200", "--pack", "500", "--at-most", "100.00 USD")
    #expect(tool("refill", "charge", "alice", "--outcome", "decline").code == 1)
    #expect(tool("refill", "show", "alice", "--json").output.contains("\"state\":\"cooling-down\""))
    #expect(tool("refill", "resume", "alice", "--reason", "phoned").output.contains("goes on: due"))
    #expect(tool("refill", "charge", "alice", "--outcome", "unknown", "--json").output.contains("\"outcome\":\"open\""))
    #expect(tool("refill", "charge", "alice", "--json").output.contains("\"outcome\":\"credited\""))
  }

  @Test("38: resumes the charges of a restored copy, which is another thing")
  func resumeStore() {
    prepare()
    #expect(tool("refill", "resume", "--after-restore").output.contains("nothing changed"))
    let copy = tool.folder.file("copy")
    tool("backup", copy)
    func inCopy(_ arguments: String...) -> Tool.Run { tool.bare(arguments + ["--store", copy]) }
    #expect(inCopy("stats").output.contains("paused, as the store is a copy"))
    let waiting = inCopy("buy", "alice", "--pack", "500", "--request", "b")
    #expect(waiting.output.contains("is open: due") && waiting.output.contains("--after-restore"), "\(waiting.output)")
    #expect(inCopy("refill", "show", "alice").output.contains("paused"))
    #expect(inCopy("refill", "resume", "--after-restore", "--json").output.contains("\"outcome\":\"resumed\""))
    #expect(inCopy("buy", "alice", "--pack", "500", "--request", "b").output.contains("supplied alice"))
    #expect(inCopy("stats", "--json").output.contains("\"charges_paused\":false"))
  }

  @Test("notes disputes, which stop auto-refill")
  func dispute() {
    prepare()
    tool("buy", "alice", "--pack", "500")
    tool("refill", "on", "alice", "--below", "50", "--pack", "500", "--at-most", "100.00 USD")
    #expect(tool("dispute", "alice", "2", "--reason", "x").complaint.contains("no such charge"))
    #expect(tool("dispute", "alice", "1", "--reason", "chargeback").output.contains("charge 1 of alice is disputed"))
    #expect(tool("refill", "show", "alice").output.contains("suspended because disputed"))
    #expect(tool("history", "alice", "--json").output.contains("\"kind\":\"charge-disputed\""))
  }

  @Test("makes a debit good once, and explain shows both sides")
  func correct() throws {
    prepare()
    tool("debit", "alice", "30", "--request", "r")
    let history = tool("history", "alice", "--limit", "1", "--json").output
    let entry = try #require(history.split(separator: ",").first?.split(separator: ":").last.map(String.init))
    let corrected = tool(
      "correct", "alice", entry, "20", "--reason", "wrong model", "--agent", "ann", "--request", "c")
    #expect(corrected.output.contains("gave 20 credits to alice for entry \(entry); 90 are available"))
    #expect(tool("explain", "alice", "r").output.contains("20 at 20"))
    #expect(tool("explain", "alice", "r").output.contains("wrong model, by ann"))
    #expect(tool("explain", "alice", "c").output.contains("makes good  entry \(entry), debited 30"))
    #expect(
      tool("correct", "alice", entry, "1", "--reason", "x", "--agent", "y").complaint.contains("made good before"))
    let none = tool("correct", "alice", "1", "1", "--reason", "x", "--agent", "y", "--json")
    #expect(none.code == 1 && none.output.contains("\"code\":\"no-debit\""))
  }

  @Test(
    "ends with 2 where the arguments are wrong",
    arguments: [
      ["buy", "a"], ["buy", "a", "--pack", "500", "--credits", "1"], ["buy", "a", "--money", "20 USD"],
      ["buy", "a", "--pack", "500", "--outcome", "maybe"], ["refill", "on", "a", "--below", "1", "--pack", "500"],
      ["refill", "on", "a", "--below", "1", "--at-most", "1.00 USD"], ["refill", "resume"],
      ["refill", "resume", "a", "--after-restore"], ["refill", "resume", "--after-restore", "--reason", "x"],
      ["method", "add", "a", "tok", "--brand", "visa", "--last-four", "42", "--expires", "2030-11"],
      ["method", "add", "a", "tok", "--brand", "visa", "--last-four", "4242", "--expires", "2030-13"],
      ["method", "add", "a", "tok", "--brand", "visa", "--last-four", "4242"], ["method", "remove", "a"],
      ["correct", "a", "1", "1", "--reason", "", "--agent", "x"], ["correct", "a", "1", "1", "--reason", "x"],
      ["dispute", "a", "1"], ["packs", "set"], ["packs", "set", "/none.json"],
    ])
  func usage(arguments: [String]) { #expect(tool.bare(arguments + ["--store", tool.store]).code == 2) }
}
