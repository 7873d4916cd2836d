import LMDB
import Testing

@testable import Credits

@Suite("Entries and records")
struct EntryTests {
  static let account = AccountID(high: 0x1112_1314_1516_1718, low: 0x191A_1B1C_1D1E_1F20)
  static let request = RequestID(high: 0x2122_2324_2526_2728, low: 0x292A_2B2C_2D2E_2F30)

  /// An entry in which no two bytes of a field are alike, and its bytes as the file format says.
  static var debit: Entry {
    var entry = Entry(
      .debited, account: account, request: request, amount: 5.000001, available: 7.000002,
      time: Timestamp(microseconds: 1_700_000_000_000_000), previous: SequenceNumber(41))
    entry.detail = 1
    entry.grant = 0x0102_0304
    entry.price = 0x3132_3334
    entry.units = 0x4142_4344
    return entry
  }

  static let debitBytes = bytes(
    """
    04010a00040302011817161514131211201f1e1d1c1b1a192827262524232221302f2e2d2c2b2a29414b4c0000000000
    c2cf6a000000000000401e18240a060029000000000000003433323144434241
    """)

  static var grant: Record {
    var entry = Entry(
      .granted, account: account, request: RequestID(high: request.high, low: request.low + 1), amount: 500,
      available: 7.000002, time: Timestamp(microseconds: 1_700_000_000_000_001), previous: SequenceNumber(42))
    entry.detail = Grant.Source.Kind.purchase.rawValue
    entry.grant = 7
    entry.units = 30
    return Record(
      entry,
      [
        .text(.reference, "order-17x"),
        .times(
          starts: Timestamp(microseconds: 1_700_000_000_000_001), expires: Timestamp(seconds: 1_800_000_000)),
      ])
  }

  static let grantBytes = bytes(
    """
    02021000070000001817161514131211201f1e1d1c1b1a192827262524232221312f2e2d2c2b2a290065cd1d00000000
    c2cf6a000000000001401e18240a06002a00000000000000000000001e00000002000900020000006f726465722d3137
    7800000000000000030010000000000001401e18240a06000080982817650600
    """)

  @Test("an entry has 80 bytes without gaps, in memory as on disk")
  func layout() {
    #expect(MemoryLayout<Entry>.size == 80)
    #expect(MemoryLayout<Entry>.stride == 80)
    #expect(Entry.size == 80)
    #expect(MemoryLayout<Entry>.offset(of: \.detail) == 1)
    #expect(MemoryLayout<Entry>.offset(of: \.words) == 2)
    #expect(MemoryLayout<Entry>.offset(of: \.grant) == 4)
    #expect(MemoryLayout<Entry>.offset(of: \.account) == 8)
    #expect(MemoryLayout<Entry>.offset(of: \.request) == 24)
    #expect(MemoryLayout<Entry>.offset(of: \.amount) == 40)
    #expect(MemoryLayout<Entry>.offset(of: \.available) == 48)
    #expect(MemoryLayout<Entry>.offset(of: \.time) == 56)
    #expect(MemoryLayout<Entry>.offset(of: \.previous) == 64)
    #expect(MemoryLayout<Entry>.offset(of: \.price) == 72)
    #expect(MemoryLayout<Entry>.offset(of: \.units) == 76)
  }

  @Test("the bytes of an entry are those of the file format, whatever was in memory before", arguments: [0, 0xFF])
  func golden(_ fill: UInt8) { #expect(encode(Record(EntryTests.debit), over: fill) == EntryTests.debitBytes) }

  @Test("the bytes of a record with items are those of the file format", arguments: [0, 0xFF])
  func goldenRecord(_ fill: UInt8) { #expect(encode(EntryTests.grant, over: fill) == EntryTests.grantBytes) }

  @Test("codes of kinds, denials and texts are those of the file format")
  func codes() {
    #expect(
      Entry.Kind.allCases.map { "\($0)" } == [
        "opened", "granted", "begun", "debited", "denied", "expired", "frozen", "unfrozen", "closed", "held",
        "captured", "released", "subscribed", "renewed", "unsubscribed", "ended", "alertsSet", "alerted", "exhausted",
        "refillSet", "rearmed", "capped", "due", "ordered", "charging", "credited", "declined", "needsAction",
        "unsettled", "cancelled", "mismatched", "disputed", "methodSaved", "methodRemoved",
      ])
    #expect(Entry.Kind.allCases.map(\.rawValue) == Array(1...34))
    #expect(JournalEntry.Kind.allCases.map { "\($0)" } == Entry.Kind.allCases.map { "\($0)" })
    #expect(
      Entry.DenialCode.allCases.map { "\($0)" } == [
        "insufficient", "frozen", "closed", "limit", "noPrice", "unknownFeature", "unknownModel", "unknownTier",
        "unknownUnit", "priceChanged", "noPlan", "noMethod", "noRefill", "corrected", "noCharge",
      ])
    #expect(Entry.DenialCode.allCases.map(\.rawValue) == Array(1...15))
    #expect(Item.Text.allCases.map(\.rawValue) == Array(1...14))
    #expect(Item.Moment.allCases.map(\.rawValue) == Array(1...6))
    #expect(Item.Quantity.allCases.map(\.rawValue) == Array(1...6))
    #expect(Item.Number.allCases.map(\.rawValue) == Array(1...7) + Array(16...19))
    #expect(Item.Sum.allCases.map(\.rawValue) == [1, 2, 3])
    #expect(Debit.Extent.whole.rawValue == 0 && Debit.Extent.upTo.rawValue == 1)
    #expect(
      AccountStatus.open.rawValue == 0 && AccountStatus.frozen.rawValue == 1 && AccountStatus.closed.rawValue == 2)
  }

  static let items: [[Item]] = [
    [], [.part(grant: 9, amount: 1.5)], [.asked(.max)], [.text(.label, "")], [.text(.reason, "eight by")],
    [.text(.reference, "größer")], [.text(.label, String(repeating: "x", count: 255))],
    [.times(starts: .zero, expires: .never)],
    [.part(grant: 1, amount: 1), .part(grant: .max, amount: .max), .asked(2), .text(.reason, "a")],
    [.returned(grant: 2, amount: 1), .lapsed(grant: 3, amount: 2), .rolled(grant: 4, amount: 3)],
    Item.Moment.allCases.map { .moment($0, .never) }, Item.Quantity.allCases.map { .amount($0, .max) },
    Item.Number.allCases.map { .number($0, .max) }, Item.Text.allCases.map { .text($0, "\($0)") },
    Item.Sum.allCases.map { .money($0, Money(-1, .eur)) }, [.request(RequestID(high: 1, low: .max))],
    (0..<999).map { .part(grant: UInt32($0), amount: Amount(millionths: Int64($0))) },
  ]

  @Test("a record survives encoding and decoding", arguments: items, Entry.Kind.allCases)
  func roundTrip(_ items: [Item], _ kind: Entry.Kind) throws {
    var entry = Entry(
      kind, account: EntryTests.account, request: EntryTests.request, amount: .max, available: -1, time: .never,
      previous: SequenceNumber(.max))
    entry.detail = 0xFE
    let encoded = encode(Record(entry, items), over: 0xAA)
    let decoded = try Record(from: encoded.span.rawBytes, at: 0)
    #expect(decoded.items == items && decoded.entry.kind == kind)
    #expect(encode(decoded, over: 0x55) == encoded)
    let padded = [1, 2, 3] + encoded + [4]
    #expect(try encode(Record(from: padded.span.rawBytes, at: 3), over: 0) == encoded)
  }

  /// A change of one byte of the record with items, and what it makes wrong.
  static let malformed: [(Int, UInt8, String)] = [
    (0, 0, "unknown kind"), (0, 35, "unknown kind"), (0, 255, "unknown kind"), (2, 9, "impossible length"),
    (2, 0, "impossible length"), (2, 255, "impossible length"), (3, 1, "impossible length"), (80, 0, "unknown kind"),
    (80, 13, "unknown kind"), (80, 10, "item"), (81, 1, "reserved bytes"), (82, 255, "ends too early"),
    (83, 1, "bytes"),
    (84, 0, "unknown kind"), (84, 15, "unknown kind"), (88, 0xFF, "UTF-8"), (97, 1, "reserved bytes"),
    (103, 1, "reserved bytes"), (104, 1, "length"), (104, 4, "length"), (106, 17, "length"), (2, 15, "ends too early"),
    (2, 11, "ends too early"), (2, 14, "ends too early"),
  ]

  @Test("a record with a wrong byte is refused", arguments: malformed)
  func refusals(_ position: Int, _ value: UInt8, _ reason: String) {
    var damaged = EntryTests.grantBytes
    damaged[position] = value
    let error = #expect(throws: DecodingError.self) { _ = try Record(from: damaged.span.rawBytes, at: 0) }
    #expect(error?.reason.contains(reason) == true, "\(error?.reason ?? "")")
  }

  @Test("a record that is cut off anywhere is refused")
  func truncation() {
    for count in 0..<EntryTests.grantBytes.count {
      let cut = Array(EntryTests.grantBytes[..<count])
      #expect(throws: DecodingError.self) { _ = try Record(from: cut.span.rawBytes, at: 0) }
    }
    #expect(throws: DecodingError.self) { _ = try Entry(from: EntryTests.debitBytes.span.rawBytes, at: 1) }
  }

  @Test("parts of a debit sum to its amount")
  func parts() {
    var entry = EntryTests.debit
    entry.grant = 3
    let record = Record(entry, [.asked(9), .part(grant: 4, amount: 1), .part(grant: 6, amount: 2)])
    #expect(record.parts.map(\.grant) == [3, 4, 6])
    #expect(record.parts.map(\.amount) == [2.000001, 1, 2])
    #expect(record.text(.label) == nil)
    #expect(EntryTests.grant.text(.reference) == "order-17x")
  }
}

/// The bytes of a record, written over memory that was not clean.
func encode(_ record: Record, over fill: UInt8) -> [UInt8] {
  var memory = [UInt8](repeating: fill, count: record.size)
  unsafe memory.withUnsafeMutableBytes { unsafe record.store(to: $0) }
  return memory
}
