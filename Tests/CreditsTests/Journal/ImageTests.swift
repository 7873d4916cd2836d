import LMDB
import Testing

@testable import Credits

@Suite("Images")
struct ImageTests {
  static let begins = Timestamp(seconds: 1_750_000_000)

  static func grant(
    _ number: UInt32, _ kind: Grant.Source.Kind = .promotion, amount: Amount = 10, remaining: Amount = 4,
    priority: UInt8 = 20, starts: Timestamp = .zero, expires: Timestamp = Timestamp(seconds: 1_800_000_000)
  ) -> Grant {
    Grant(
      number: number, kind: kind, priority: priority, amount: amount, remaining: remaining, starts: starts,
      expires: expires)
  }

  static func account(
    available: Amount = 4, held: Amount = 0, granted: Amount = 20, spent: Amount = 15, expired: Amount = 1,
    last: UInt64 = 99, opened: UInt64 = 42, usable: [Grant] = [grant(3)],
    pending: [Grant] = [
      grant(4, .purchase, amount: 9, remaining: 9, priority: 30, starts: begins, expires: .never)
    ], lastGrant: UInt32 = 4
  ) throws(Inconsistency) -> Account {
    var extras = Extras()
    extras.pending = pending
    return try Account(
      id: EntryTests.account, last: SequenceNumber(last), time: Timestamp(seconds: 1_700_000_000),
      totals: Account.Totals(available: available, held: held, granted: granted, spent: spent, expired: expired),
      opened: SequenceNumber(opened), lastGrant: lastGrant, status: .frozen, usable: usable, extras: extras)
  }

  static let golden = bytes(
    """
    01000000d00000008c6fd8ef70e487ee1817161514131211201f1e1d1c1b1a19630000000000000000401e18240a0600
    00093d00000000000000000000000000002d310100000000c0e1e4000000000040420f00000000002a00000000000000
    00605ba09d370600040000000100000001000100280000000300000004140000809698000000000000093d0000000000
    00000000000000000080982817650600020001002800000004000000021e000040548900000000004054890000000000
    00605ba09d370600ffffffffffffff7f
    """)

  private func encode(_ image: Image) -> [UInt8] {
    var memory = [UInt8](repeating: 0xDD, count: image.size)
    unsafe memory.withUnsafeMutableBytes { unsafe image.store(to: $0) }
    return memory
  }

  @Test("the bytes of an image are those of the file format")
  func golden() throws {
    #expect(encode(Image(account: try ImageTests.account(), due: ImageTests.begins)) == ImageTests.golden)
  }

  @Test("an image gives back the account that was stored")
  func roundTrip() throws {
    let image = try Image(from: ImageTests.golden.span.rawBytes)
    #expect(image.account == (try ImageTests.account()))
    #expect(image.due == ImageTests.begins && image.account.tripTime == ImageTests.begins)
    #expect(image.account.status == .frozen && image.account.grants.count == 2)
    let none = try ImageTests.account(available: 0, granted: 16, usable: [], pending: [])
    #expect(try Image(from: encode(Image(account: none, due: .never)).span.rawBytes).account == none)
  }

  @Test("an image with a thousand grants is stored whole")
  func large() throws {
    let usable = (1...500).map { ImageTests.grant($0, amount: 1, remaining: 1) }
    let pending = (501...1_000).map { ImageTests.grant($0, amount: 1, remaining: 1, starts: ImageTests.begins) }
    let account = try ImageTests.account(
      available: 500, granted: 516, last: 2_000, usable: usable, pending: pending, lastGrant: 1_000)
    #expect(try Image(from: encode(Image(account: account, due: .never)).span.rawBytes).account == account)
  }

  @Test("a flipped bit anywhere in an image is found")
  func flips() {
    for bit in 0..<ImageTests.golden.count * 8 {
      var damaged = ImageTests.golden
      damaged[bit / 8] ^= 1 << (bit % 8)
      #expect(throws: DecodingError.self, "bit \(bit)") { _ = try Image(from: damaged.span.rawBytes) }
    }
  }

  @Test("an image that is cut off or too long is found")
  func lengths() {
    for count in 0..<ImageTests.golden.count {
      #expect(throws: DecodingError.self) { _ = try Image(from: Array(ImageTests.golden[..<count]).span.rawBytes) }
    }
    #expect(throws: DecodingError.self) { _ = try Image(from: (ImageTests.golden + [0]).span.rawBytes) }
  }

  /// Bytes that are wrong although the checksum is right.
  static let malformed: [(Int, UInt8, String)] = [
    (0, 2, "version"), (2, 1, "reserved"), (108, 3, "status"), (109, 1, "reserved"), (112, 12, "section"),
    (112, 2, "section"), (114, 2, "ends too early"), (116, 41, "section"), (124, 9, "code"), (126, 1, "reserved"),
    (138, 0xFF, "remainder"),
    (49, 0, "add up"), (56, 1, "add up"), (64, 0xFF, "add up"), (88, 0xFF, "add up"), (88, 0, "add up"),
  ]

  @Test("an image with a wrong field is refused although its checksum is right", arguments: malformed)
  func refusals(_ position: Int, _ value: UInt8, _ reason: String) {
    var damaged = ImageTests.golden
    damaged[position] = value
    let sum = Checksum.of(damaged.span.rawBytes.extracting(16..<damaged.count))
    for byte in 0..<8 { damaged[8 + byte] = UInt8(truncatingIfNeeded: sum >> UInt64(byte * 8)) }
    let error = #expect(throws: DecodingError.self) { _ = try Image(from: damaged.span.rawBytes) }
    #expect(error?.reason.contains(reason) == true, "\(error?.reason ?? "")")
  }

  @Test("an account whose parts do not add up is not rebuilt")
  func inconsistent() {
    #expect(throws: Inconsistency.self) { try ImageTests.account(available: 5) }
    #expect(throws: Inconsistency.self) { try ImageTests.account(held: 1) }
    #expect(throws: Inconsistency.self) { try ImageTests.account(spent: 14) }
    #expect(throws: Inconsistency.self) { try ImageTests.account(granted: -1, spent: -5, expired: 0) }
    #expect(throws: Inconsistency.self) { try ImageTests.account(last: 41) }
    #expect(throws: Inconsistency.self) { try ImageTests.account(opened: 0) }
    #expect(throws: Inconsistency.self) { try ImageTests.account(usable: [ImageTests.grant(3, remaining: 11)]) }
    #expect(throws: Inconsistency.self) {
      try ImageTests.account(usable: [ImageTests.grant(3), ImageTests.grant(1, remaining: 0)])
    }
    #expect(throws: Inconsistency.self) {
      try ImageTests.account(
        available: 8, granted: 24, usable: [ImageTests.grant(3), ImageTests.grant(1)])
    }
  }
}
