import LMDB
import Testing

@testable import Credits

/// The bytes that the page on the file format shows, made anew and compared with it.
@Suite("The page on the file format")
struct FileFormatTests {
  /// An account that is opened, given 5 credits and debited 1.25, a second apart, each in a commit of its own.
  private func store(in folder: String) async throws {
    let clock = StoreClock.Manual(Timestamp(seconds: 1_795_348_800))
    var settings = Settings()
    settings.clock = .manual(clock)
    settings.durability = .unsynced
    let store = try CreditStore.open(at: folder, settings: settings)
    let account = AccountID(7)
    try await store.open(account, label: "alice")
    clock.advance(by: .seconds(1))
    try await store.grant(
      5, to: account, source: .purchase("order-17"), expires: Timestamp(seconds: 1_800_000_000), request: RequestID(8))
    clock.advance(by: .seconds(1))
    _ = try await store.debit(1.25, from: account, request: RequestID(9))
    try await store.close()
  }

  @Test("shows the bytes that the store writes")
  func bytes() async throws {
    let folder = TemporaryFolder()
    try await store(in: folder.place("store"))
    let text = try #require(SourceTree.text(of: "Sources/Credits/Credits.docc/FileFormat.md"))
    var settings = Environment.Settings()
    settings.access = .readOnly
    let environment = try Environment.open(at: folder.place("store"), settings: settings)
    do {
      let tables = try environment.openTables([
        .init("journal", keys: .integers), .init("accounts", keys: .bytes), .init("meta", keys: .bytes),
      ])
      let transaction = try environment.beginRead()
      for first: UInt64 in 1...3 {
        let block = dump(try transaction.get(first, from: tables[0]))
        #expect(!block.isEmpty && text.contains(block), "block \(first) is\n\(block)")
      }
      var cursor = try transaction.cursor(on: tables[1])
      #expect(try cursor.first())
      let image = dump(cursor.value)
      #expect(text.contains(image), "the image is\n\(image)")
      let name = Array("checkpoint".utf8)
      // The span lives as long as the name, and is not kept.
      let checkpoint = dump(unsafe try transaction.get(name.span.bytes, from: tables[2]))
      #expect(!checkpoint.isEmpty && text.contains(checkpoint), "the checkpoint is\n\(checkpoint)")
    }
    environment.close()
  }

  // MARK: Names and codes

  /// The document's text.
  private static let text = SourceTree.text(of: "Sources/Credits/Credits.docc/FileFormat.md") ?? ""

  /// The text of the list item that begins with a heading, on one line.
  private static func item(_ heading: String) -> String {
    guard let start = text.firstRange(of: "- **\(heading)**") else { return "" }
    let rest = text[start.upperBound...]
    let lines = rest.split(separator: "\n", omittingEmptySubsequences: false)
    return ([lines[0]] + lines.dropFirst().prefix { $0.hasPrefix("  ") }).joined(separator: " ")
  }

  /// The numbers and names that a list item gives, in order, without what stands in brackets.
  private static func codes(_ heading: String) -> [String] {
    var list = item(heading)
    while let open = list.firstRange(of: " ("), let close = list[open.upperBound...].firstRange(of: ")") {
      list.removeSubrange(open.lowerBound..<close.upperBound)
    }
    let end = list.firstRange(of: ".")?.lowerBound ?? list.endIndex
    guard let start = list[..<end].firstIndex(where: \.isNumber) else { return [] }
    let words = list[start..<end].split(separator: " ").joined(separator: " ")
    return words.split(separator: ",").map { String($0.drop { $0 == " " }) }
  }

  /// The first cells of the rows of the table below a heading.
  private static func rows(after heading: String) -> [[String]] {
    guard let start = text.firstRange(of: heading) else { return [] }
    let lines = text[start.upperBound...].split(separator: "\n", omittingEmptySubsequences: false)
    let table = lines.drop { !$0.hasPrefix("| ---") }.dropFirst().prefix { $0.hasPrefix("|") }
    return table.map { line in
      line.split(separator: "|").map { cell in
        String(cell.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
      }
    }
  }

  private static func named<T: CaseIterable & RawRepresentable>(_: T.Type) -> [String] {
    T.allCases.map { "\($0.rawValue) \($0)" }
  }

  @Test("names every kind of entry with its code")
  func kinds() {
    let rows = FileFormatTests.rows(after: "Fields that a kind does not name are 0.")
    #expect(rows.map { Array($0.prefix(2)) } == Entry.Kind.allCases.map { ["\($0)", "\($0.rawValue)"] })
  }

  @Test("names every code of the enumerations that are stored")
  func enumerations() {
    let codes = FileFormatTests.codes
    #expect(codes("Source:") == FileFormatTests.named(Grant.Source.Kind.self))
    #expect(codes("Extent:") == ["0 whole", "1 up to"])
    #expect(codes("Reason of a denial:") == FileFormatTests.named(Entry.DenialCode.self))
    #expect(codes("End of a hold") == FileFormatTests.named(Hold.End.self))
    #expect(codes("Cause of the end of a hold:") == FileFormatTests.named(HoldOutcome.Cause.self))
    #expect(codes("Period:") == FileFormatTests.named(Period.self))
    #expect(codes("Re-arming:") == FileFormatTests.named(Rearming.self))
    #expect(codes("Kind of charge:") == FileFormatTests.named(Charge.Kind.self))
    #expect(codes("Status of a charge:") == FileFormatTests.named(Charge.Status.self))
    #expect(codes("Cancellation:") == FileFormatTests.named(Cancellation.self))
    #expect(codes("Suspension") == FileFormatTests.named(RefillState.Suspension.self))
    #expect(codes("Kinds of text:") == FileFormatTests.named(Item.Text.self))
    #expect(codes("Kinds of moment:") == FileFormatTests.named(Item.Moment.self))
    #expect(codes("Kinds of amount:") == FileFormatTests.named(Item.Quantity.self))
    #expect(codes("Kinds of number:") == FileFormatTests.named(Item.Number.self))
    #expect(codes("Kinds of money:") == FileFormatTests.named(Item.Sum.self))
  }

  /// One item of each kind.
  private static let items: [Item] = [
    .part(grant: 1, amount: 1), .text(.label, ""), .times(starts: .zero, expires: .never), .asked(1),
    .returned(grant: 1, amount: 1), .lapsed(grant: 1, amount: 1), .rolled(grant: 1, amount: 1), .moment(.next, .zero),
    .amount(.pack, 1), .number(.method, 1), .money(.cap, Money(1, .usd)), .request(RequestID(1)),
  ]

  /// The name of an item's kind; the compiler asks for each.
  private static func name(_ item: Item) -> String {
    switch item {
    case .part: "part"
    case .text: "text"
    case .times: "times"
    case .asked: "asked"
    case .returned: "returned"
    case .lapsed: "lapsed"
    case .rolled: "rolled"
    case .moment: "moment"
    case .amount: "amount"
    case .number: "number"
    case .money: "money"
    case .request: "request"
    }
  }

  @Test("names every kind of item with the tag that the store writes")
  func tags() {
    let rows = FileFormatTests.rows(after: "| Item | Tag | Value | Payload")
    var written: [[String]] = []
    for item in FileFormatTests.items {
      let entry = Entry(
        .opened, account: AccountID(1), request: .none, amount: 0, available: 0, time: .zero, previous: .none)
      let record = Record(entry, [item])
      var memory = [UInt8](repeating: 0, count: record.size)
      unsafe memory.withUnsafeMutableBytes { unsafe record.store(to: $0) }
      written.append([FileFormatTests.name(item), "\(memory[Entry.size])"])
    }
    #expect(rows.map { Array($0.prefix(2)) } == written)
    #expect(Set(FileFormatTests.items.map { FileFormatTests.name($0) }).count == rows.count)
  }

  @Test("names every section of an image with its code")
  func sections() {
    let rows = FileFormatTests.rows(after: "| Section | Code | Rows")
    #expect(rows.map { Array($0.prefix(2)) } == ImageSection.allCases.map { ["\($0)", "\($0.rawValue)"] })
  }

  /// What stands in quotes behind each place of a marker in a source file.
  private func quoted(after marker: String, in path: String) -> Set<String> {
    var rest = (SourceTree.text(of: path) ?? "")[...]
    var found: Set<String> = []
    while let start = rest.firstRange(of: marker) {
      rest = rest[start.upperBound...]
      found.insert(String(rest.prefix { $0 != "\"" }))
    }
    return found
  }

  @Test("names every table, and every record of meta, that the store has")
  func tables() {
    let tables = FileFormatTests.rows(after: "## Tables").compactMap(\.first)
    let opened = quoted(after: ".init(\"", in: "Sources/Credits/Storage/Database.swift")
    #expect(opened.count == 8 && Set(tables) == Set(opened.map { "`\($0)`" }))
    let records = FileFormatTests.rows(after: "## Records of meta").compactMap(\.first)
    let read = quoted(after: "try read(\"", in: "Sources/Credits/Storage/Meta.swift")
    #expect(read.count == 5 && Set(records) == Set(read.map { "`\($0)`" }))
  }

  // MARK: Bytes

  /// Sixteen bytes a line, after their offset, all in hexadecimal; empty where there are none.
  private func dump(_ bytes: RawSpan?) -> String {
    guard let bytes else { return "" }
    var lines: [String] = []
    for start in stride(from: 0, to: bytes.byteCount, by: 16) {
      var line = hexadecimal(start, 4) + " "
      for place in start..<min(start + 16, bytes.byteCount) {
        // Any byte makes an integer, and the place lies within the bytes.
        line += " " + hexadecimal(Int(unsafe bytes.unsafeLoad(fromByteOffset: place, as: UInt8.self)), 2)
      }
      lines.append(line)
    }
    return lines.joined(separator: "\n")
  }

  private func hexadecimal(_ number: Int, _ width: Int) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: width - digits.count) + digits
  }
}
