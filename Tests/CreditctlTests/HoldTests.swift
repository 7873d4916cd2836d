import Credits
import Testing

@testable import creditctl

@Suite("Holds on the command line")
struct HoldTests {
  private let tool = Tool()

  private func prepare() {
    tool("open", "alice")
    tool("grant", "alice", "100", "--request", "g")
  }

  @Test("set credits aside, are shown, and give back what was not used")
  func capture() {
    prepare()
    let held = tool("hold", "alice", "60", "--for", "1h", "--request", "chat-7")
    #expect(held.output.contains("held 60 credits on alice, which has 40 available"), "\(held.complaint)")
    #expect(held.output.contains("released by itself at 20"))
    let balance = tool("balance", "alice").output
    #expect(balance.contains("held       60\n"))
    #expect(balance.contains("uuid:\(RequestID("chat-7"))"))
    #expect(tool("balance", "alice", "--json").output.contains("\"holds\":[{\"request\":\"\(RequestID("chat-7"))\""))
    let captured = tool("capture", "alice", "chat-7", "45.5")
    #expect(captured.output.contains("captured 45.5 credits of hold chat-7; alice has 54.5 available"))
    let again = tool("capture", "alice", "chat-7", "45.5", "--json")
    #expect(again.code == 0)
    #expect(again.output.contains("\"captured\":\"45.5\""))
    #expect(again.output.contains("\"replay\":true"))
    let explained = tool("explain", "alice", "chat-7").output
    #expect(explained.contains("asked      a hold of 60 credits"))
    #expect(explained.contains("captured"))
    #expect(tool("export", "--format", "csv").output.contains("1:14.5"))
  }

  @Test("are released whole; a hold that was released is not captured any more")
  func release() {
    prepare()
    tool("hold", "alice", "60", "--request", "h", "--capture-at-deadline")
    #expect(tool("balance", "alice").output.contains("captured  uuid:"))
    #expect(tool("release", "alice", "h").output.contains("released hold h; alice has 100 available"))
    #expect(tool("release", "alice", "h").output.contains("(a replay: nothing changed now)"))
    let late = tool("capture", "alice", "h", "10")
    #expect(late.code == 1)
    #expect(late.complaint.contains("the hold was released before"))
    #expect(tool("capture", "alice", "h", "--json").output.contains("\"outcome\":\"released\""))
    #expect(tool("balance", "alice").output.contains("available  100\n"))
  }

  @Test("take what goes beyond them if there is enough, and say so if there is not")
  func excess() {
    prepare()
    tool("hold", "alice", "60", "--request", "one")
    #expect(tool("capture", "alice", "one", "70").output.contains("of these, 10 go beyond the hold"))
    tool("hold", "alice", "20", "--request", "two")
    let short = tool("capture", "alice", "two", "40")
    #expect(short.code == 1)
    #expect(short.output.contains("captured 20 credits of hold two"))
    #expect(short.complaint.contains("what goes beyond the hold: 10 credits are available and 20 are needed"))
    #expect(tool("capture", "alice", "two", "40", "--json").output.contains("\"excess\":{\"outcome\":\"denied\""))
  }

  @Test("by usage hold the price of the book")
  func byUsage() {
    prepare()
    tool("price", "publish", tool.folder.write(ExampleBook.book.json, to: "book.json"))
    let held = tool("hold", "alice", "--feature", "image", "--units", "5", "--request", "i", "--json")
    #expect(held.output.contains("\"amount\":\"20\""), "\(held.complaint)")
    #expect(tool("explain", "alice", "i").output.contains("price 20"))
  }

  @Test("that are captured by usage are explained with that price, too")
  func capturedByUsage() async throws {
    let store = try CreditStore.open(at: tool.store)
    try await store.publish(ExampleBook.book)
    try await store.open("alice")
    try await store.grant(100, to: "alice", source: .allowance, request: "g")
    try await store.hold(20, on: "alice", for: .seconds(60), request: "h")
    try await store.close()
    let captured = tool("capture", "alice", "h", "--feature", "image", "--units", "3")
    #expect(captured.output.contains("captured 12 credits of hold h"), "\(captured.complaint)")
    for wrong in [["12", "--feature", "image"], ["--units", "3"], ["0", "--feature", "image"]] {
      #expect(tool.bare(["capture", "alice", "h"] + wrong + ["--store", tool.store]).code == 2)
    }
    let explained = tool("explain", "alice", "h")
    #expect(explained.output.contains("3 image at 4: 12"), "\(explained.complaint)")
    #expect(explained.output.contains("captured"))
    #expect(tool("explain", "alice", "h", "--json").output.contains("\"capture_price\":{\"version\":1"))
  }

  @Test("that are refused end with 1: too much, unknown, or none such")
  func refused() {
    prepare()
    #expect(tool("hold", "alice", "101").complaint.contains("100 credits are available and 101 are needed"))
    #expect(tool("hold", "nobody", "1", "--json").output.contains("\"code\":\"unknown-account\""))
    #expect(tool("capture", "alice", "none").complaint.contains("there is no such hold"))
    #expect(tool("release", "alice", "none", "--json").code == 1)
  }

  @Test(
    "that make no sense end with 2",
    arguments: [
      ["hold", "a"], ["hold", "a", "1", "--for", "0s"], ["hold", "a", "1", "--for", "367d"],
      ["hold", "a", "1", "--feature", "x"], ["capture", "a", "r", "-1"], ["capture", "a"], ["release", "a"],
    ])
  func usage(arguments: [String]) { #expect(tool.bare(arguments + ["--store", tool.store]).code == 2) }
}
