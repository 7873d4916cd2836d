import Credits
import LMDB
import Testing

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
