import Credits
import Testing

@testable import creditctl

@Suite("Prices on the command line")
struct PriceTests {
  private let tool = Tool()

  private var book: String { tool.folder.write(ExampleBook.book.json, to: "book.json") }

  @Test("are published once, listed, and shown in a form that can be published again")
  func publishing() {
    let first = tool("price", "publish", book)
    #expect(first.output == "published example as version 1, valid at once\n", "\(first.complaint)")
    #expect(tool("price", "publish", book, "--json").output.contains("\"outcome\":\"unchanged\",\"version\":1"))
    #expect(tool("price", "list").output.contains("in force"))
    #expect(tool("price", "list", "--json").lines.count == 1)
    let shown = tool("price", "show").output
    #expect(shown.contains("chat        0  0.5 per 1,000 context   default x 1"))
    #expect(shown.contains("at most 50"))
    let json = tool("price", "show", "--json").output
    #expect(json == tool.bare(["price", "example"]).output)
    #expect(try! PriceBook(json: json.utf8) == ExampleBook.book)
  }

  @Test("are checked without a store, and refused with the place and the reason")
  func checking() {
    #expect(
      tool.bare(["price", "check", book]).output.contains("example can be published: 4 features, 10 combinations"))
    #expect(tool.bare(["price", "check", book, "--json"]).output.contains("\"combinations\":10"))
    let bad = tool.folder.write("{\"name\":\"x\",\"features\":[{\"name\":\"a\",\"base\":\"-1\"}]}", to: "bad.json")
    for command in ["check", "publish"] {
      let run = tool.bare(["price", command, bad] + (command == "publish" ? ["--store", tool.store] : []))
      #expect(run.code == 2)
      #expect(run.complaint.contains("features[0].base: -1 is negative"))
    }
    #expect(!tool.folder.names.contains("store"))
    #expect(tool.bare(["price", "check", "/none.json"]).code == 2)
    #expect(tool.bare(["price", "check", bad, "--json"]).output.contains("\"code\":\"bad-price-book\""))
  }

  @Test("are quoted with their arithmetic, and record nothing")
  func quotes() {
    tool("price", "publish", book)
    let quote = tool("price", "quote", "chat", "--model", "large", "--unit", "context=4808", "--unit", "generated=10")
    #expect(quote.code == 0)
    #expect(quote.output.contains("4808 context at 0.5 per 1000: 2.404"))
    #expect(quote.output.contains("times 4 for model large"))
    #expect(quote.output.contains("9.696 credits for chat, model large, 4808 context, 10 generated, good until 20"))
    #expect(tool("price", "quote", "image", "--units", "3").output.contains("12 credits for image, 3 units"))
    #expect(
      tool("price", "quote", "image", "--units", "3", "--json").output.contains("\"amount\":\"12\",\"version\":1"))
    #expect(tool("stats").output.contains("last entry    0"))
    #expect(tool("stats").output.contains("price books   1"))
  }

  @Test(
    "that do not exist are declined, with exit code 1",
    arguments: [
      (["quote", "video"], "unknown-feature"), (["quote", "chat", "--model", "x"], "unknown-model"),
      (["quote", "image", "--tier", "x"], "unknown-tier"), (["quote", "chat", "--units", "1"], "unknown-unit"),
      (["show", "--version", "2"], "no-price"), (["show", "--version", "0"], "no-price"),
    ])
  func refused(arguments: [String], code: String) {
    tool("price", "publish", book)
    let run = tool.bare(["price"] + arguments + ["--store", tool.store, "--json"])
    #expect(run.code == 1)
    #expect(run.output.contains("{\"error\":{\"code\":\""))
    #expect(run.output.contains(code) || run.output.contains("\"denied\""))
  }

  @Test("say so where no book is published")
  func noBook() {
    tool("open")
    #expect(tool("price", "list").output == "no price book is published; publish one first\n")
    #expect(tool("price", "show").code == 1)
    #expect(tool("price", "quote", "chat").complaint.contains("publish a price book"))
  }

  @Test("take what usage costs, which explain shows")
  func debits() {
    tool("price", "publish", book)
    tool("open", "alice")
    tool("grant", "alice", "100")
    let debit = tool(
      "debit", "alice", "--feature", "chat", "--model", "large", "--unit", "context=4808", "--request", "r")
    #expect(
      debit.output.contains(
        "debited 9.616 credits for chat, model large, 4808 context from alice, which has 90.384 left"))
    let json = tool("debit", "alice", "--feature", "image", "--units", "1", "--tier", "hd", "--json").output
    #expect(json.contains("\"amount\":\"10\""))
    #expect(
      json.contains("\"usage\":{\"feature\":\"image\",\"model\":null,\"tier\":\"hd\",\"units\":{\"\":1}}"))
    let explained = tool("explain", "alice", "r").output
    #expect(explained.contains("usage      chat, model large, 4808 context"))
    #expect(explained.contains("times 4 for model large"))
    #expect(explained.contains("price 9.616"))
    #expect(tool("explain", "alice", "r", "--json").output.contains("\"product\":\"9.616\""))
    #expect(tool("history", "alice").output.contains("chat, model large, 4808 context"))
    #expect(tool("export", "--format", "csv").output.contains(",chat,large,,context=4808,1,"))
    #expect(tool("export").output.contains("\"price_version\":1"))
    let denied = tool("debit", "alice", "--feature", "video", "--json")
    #expect(denied.code == 1)
    #expect(denied.output.contains("\"code\":\"unknown-feature\""))
  }

  @Test(
    "of debits that say too little or too much are refused",
    arguments: [
      ["debit", "a"], ["debit", "a", "1", "--feature", "chat"], ["debit", "a", "1", "--units", "2"],
      ["debit", "a", "--feature", "chat", "--up-to"], ["debit", "a", "--feature", ""],
      ["debit", "a", "--feature", "chat", "--units", "1", "--unit", "x=1"],
      ["debit", "a", "--feature", "chat", "--unit", "x=1", "--unit", "x=2"],
      ["debit", "a", "--feature", "chat", "--unit", "x=-1"], ["debit", "a", "--feature", "chat", "--unit", "=1"],
      ["debit", "a", "--feature", "chat", "--model", ""], ["price", "quote", ""], ["price", "quote"],
    ])
  func usage(arguments: [String]) {
    let run = tool.bare(arguments + ["--store", tool.store])
    #expect(run.code == 2)
    #expect(run.output.isEmpty)
  }
}
