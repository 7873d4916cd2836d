import CreditsTesting
import LMDB
import Testing

@testable import Credits

@Suite("Images with holds, plans, refills and the like")
struct ExtrasTests {
  static let golden = bytes(
    """
    01000000e80300001cbc951ead36f7e21817161514131211201f1e1d1c1b1a19630000000000000000401e18240a0600
    808d5b000000000080841e000000000080c3c90100000000c0e1e40000000000c0cf6a00000000002a00000000000000
    00401e18240a06000600000000000000010002005000000003000000010a0000809698000000000000093d0000000000
    0000000000000000008098281765060005000000021e0000002d31010000000080841e00000000000000000000000000
    ffffffffffffff7f020001002800000006000000031e00004054890000000000405489000000000000605ba09d370600
    ffffffffffffff7f03000200a00000002827262524232221302f2e2d2c2b2a2980841e00000000000086e13b240a0600
    020000000000020003000000010a0000809698000000000060e316000000000000000000000000000080982817650600
    05000000021e0000002d31010000000020a10700000000000000000000000000ffffffffffffff7f0000000000000000
    4d0000000000000000000000000000000067d741240a06000400000001000000040001007000000000a0abc90b010600
    00809828176506008096980000000000000101000100000003000000000000008096980000000000a025260000000000
    030a050062617369630000000000000040c2a72817650600005a6202000000000000000000000000040b08006772c3b6
    c39f657200000000050002001000000080f0fa0200000000809698000000000006000100880000000101010203000000
    020000000000000000f0e4f09705060000501ea7710906000048cd47240a06000029c34d240a0600a00f000000000000
    445355000000000000e1f505000000000065cd1d00000000d00700000000000044535500000000001027000000000000
    4453550000000000020000000200000007007465726d73203300000000000000070001002000000002000000ee070b00
    0400706d5f37000004007669736100000400343234320000080001006000000003000000010500000065cd1d00000000
    d0070000000000004453550000000000007683dc230a060040b892dc230a060000c7b11b240a06000400000000000000
    02000000ee070b000400706d5f3700000400766973610000040034323432000009000100600000000100000002010000
    40787d010000000064000000000000005255450000000000003079433b090600ffffffffffffff7f003079433b090600
    000000000000000002000000ee070b000400706d5f370000040076697361000004003432343200000a00020010000000
    33000000000000002b000000000000000b0001001000000004000000020000000300000000000000
    """)

  /// The bytes of an image.
  static func encode(_ image: Image) -> [UInt8] {
    var memory = [UInt8](repeating: 0xDD, count: image.size)
    unsafe memory.withUnsafeMutableBytes { unsafe image.store(to: $0) }
    return memory
  }

  /// Bytes with the checksum that an image of them would have.
  static func sealed(_ image: [UInt8]) -> [UInt8] {
    var image = image
    let sum = Checksum.of(image.span.rawBytes.extracting(16..<image.count))
    for byte in 0..<8 { image[8 + byte] = UInt8(truncatingIfNeeded: sum >> UInt64(byte * 8)) }
    return image
  }

  @Test("the bytes of an image with all sections are those of the file format")
  func goldenBytes() throws {
    let image = Image(account: try ExtrasFixture.whole(), due: ExtrasFixture.time)
    #expect(hex(ExtrasTests.encode(image)) == hex(ExtrasTests.golden))
  }

  @Test("an image with all sections gives back the account that was stored")
  func roundTrip() throws {
    let image = try Image(from: ExtrasTests.golden.span.rawBytes)
    #expect(image.account == (try ExtrasFixture.whole()))
    #expect(ExtrasTests.encode(image) == ExtrasTests.golden)
  }

  /// The sections of an image: where each begins, its kind, its rows and its length.
  static func sections(of image: [UInt8]) -> [(at: Int, kind: UInt16, rows: UInt16, length: Int)] {
    var sections: [(at: Int, kind: UInt16, rows: UInt16, length: Int)] = []
    var at = 112
    while at < image.count {
      let head = (0..<8).map { Int(image[at + $0]) }
      sections.append(
        (at, UInt16(head[0] | head[1] << 8), UInt16(head[2] | head[3] << 8), head[4] | head[5] << 8 | head[6] << 16))
      at += 8 + sections[sections.count - 1].length
    }
    return sections
  }

  @Test("each section has the rows and the length that the file format says")
  func sizes() {
    let sections = ExtrasTests.sections(of: ExtrasTests.golden)
    #expect(sections.map(\.kind) == ImageSection.allCases.map(\.rawValue))
    #expect(sections.map(\.rows) == [2, 1, 2, 1, 2, 1, 1, 1, 1, 2, 1])
    // Two grants; one; holds of 40 with two grants and with none; plan and change; levels; refill with money and terms;
    // a method; charges of 64 with their method; sequence numbers; counters.
    let lengths: [Int] = [80, 40, 160, 112, 16, 136, 32, 96, 96, 16, 16]
    #expect(sections.map(\.length) == lengths)
  }

  @Test("a byte that is changed in an image with all sections is refused, or read as what it says", arguments: 0...5)
  func damage(_ change: Int) {
    var read = 0
    for place in 16..<ExtrasTests.golden.count {
      var damaged = ExtrasTests.golden
      let byte = damaged[place]
      damaged[place] = [byte &+ 1, byte &- 1, 0, 0xFF, byte ^ 0x80, byte ^ 1][change]
      damaged = ExtrasTests.sealed(damaged)
      guard let image = try? Image(from: damaged.span.rawBytes) else { continue }
      read += 1
      #expect(ExtrasTests.encode(image) == damaged, "byte \(place)")
    }
    // What nobody can know to be wrong, such as an instant, is read.
    #expect(read > 100)
  }

  /// A change of bytes of the image with all sections, and what it makes wrong.
  ///
  /// The place is a section, by its kind, and an offset behind its head.
  static let malformed: [(section: ImageSection, offset: Int, bytes: [UInt8], reason: String)] = [
    (.usable, 0, [0, 0, 0, 0], "number"), (.usable, 0, [7], "number"), (.usable, 4, [6], "code"),
    (.usable, 6, [1], "reserved"), (.usable, 16, [0, 0, 0, 0, 0, 0, 0, 0], "remainder"),
    (.pending, 0, [9], "number"), (.pending, 16, [1], "add up"), (.pending, 4, [0], "code"),
    (.holds, 16, [1], "add up"), (.holds, 32, [0], "add up"), (.holds, 32, [5], "add up"), (.holds, 36, [2], "code"),
    (.holds, 37, [1], "reserved"), (.holds, 38, [3], "code"), (.holds, 38, [0], "code"),
    (.holds, 38, [0xFF, 0xFF], "code"), (.holds, 40, [5], "add up"), (.holds, 120 + 32, [2], "add up"),
    (.plan, 15, [0xFF], "add up"), (.plan, 23, [0xFF], "add up"), (.plan, 24, [2], "flag"), (.plan, 25, [2], "flag"),
    (.plan, 25, [0], "anchor"),
    (.plan, 26, [2], "flag"), (.plan, 27, [1], "reserved"), (.plan, 28, [0xE9, 3], "1001 grants"),
    (.plan, 36, [1], "reserved"), (.plan, 47, [0xFF], "add up"), (.plan, 55, [0xFF], "add up"),
    (.plan, 56, [0], "code"), (.plan, 56, [5], "code"), (.plan, 58, [0, 1], "256 bytes"), (.plan, 60, [0xFF], "UTF-8"),
    (.plan, 65, [1], "reserved"),
    (.alerts, 0, [0, 0, 0, 0, 0, 0, 0, 0], "add up"), (.alerts, 7, [0xFF], "add up"), (.alerts, 11, [9], "add up"),
    (.refill, 0, [2], "flag"), (.refill, 1, [2], "flag"), (.refill, 2, [4], "unknown state"),
    (.refill, 3, [5], "unknown state"), (.refill, 4, [0xFF, 0xFF, 0xFF, 0xFF], "add up"),
    (.refill, 12, [1], "out of range"), (.refill, 55, [0x80], "add up"), (.refill, 56, [0x61], "currency"),
    (.refill, 59, [1], "currency"), (.refill, 60, [1], "currency"), (.refill, 71, [0x80], "add up"),
    (.refill, 79, [0x80], "add up"), (.refill, 87, [0x80], "add up"), (.refill, 88, [0], "currency"),
    (.refill, 104, [0], "currency"), (.refill, 104, [0x45], "add up"), (.refill, 112, [0], "period"),
    (.refill, 113, [1], "period"), (.refill, 120, [0, 1], "256 bytes"), (.refill, 122, [0xFF], "UTF-8"),
    (.refill, 129, [1], "reserved"),
    (.methods, 0, [0], "add up"), (.methods, 0, [3], "add up"), (.methods, 8, [0, 1], "256 bytes"),
    (.methods, 14, [1], "reserved"), (.methods, 10, [0x80], "UTF-8"),
    (.charges, 0, [0], "add up"), (.charges, 0, [4], "add up"), (.charges, 4, [0], "code"), (.charges, 4, [3], "code"),
    (.charges, 5, [0], "code"), (.charges, 5, [7], "code"), (.charges, 6, [1], "reserved"),
    (.charges, 15, [0x80], "add up"), (.charges, 15, [0x40], "add up"), (.charges, 23, [0x80], "add up"),
    (.charges, 24, [0], "currency"), (.charges, 60, [1], "attempts"), (.charges, 59, [0xFF], "add up"),
    (.unpaid, 0, [4], "add up"), (.unpaid, 15, [0x80], "add up"), (.corrected, 0, [43], "add up"),
    (.counters, 0, [3], "add up"), (.counters, 3, [0xFF], "add up"), (.counters, 4, [1], "add up"),
    (.counters, 8, [2], "add up"), (.counters, 12, [1], "reserved"),
  ]

  @Test("a field that cannot be is refused although the checksum is right", arguments: malformed.indices)
  func refusals(_ index: Int) throws {
    let row = ExtrasTests.malformed[index]
    let section = try #require(
      ExtrasTests.sections(of: ExtrasTests.golden).first { $0.kind == row.section.rawValue })
    var damaged = ExtrasTests.golden
    for (position, byte) in row.bytes.enumerated() { damaged[section.at + 8 + row.offset + position] = byte }
    damaged = ExtrasTests.sealed(damaged)
    let error = #expect(throws: DecodingError.self, "\(row)") { _ = try Image(from: damaged.span.rawBytes) }
    #expect(error?.reason.contains(row.reason) == true, "\(row): \(error?.reason ?? "")")
  }

  @Test("a section that is there twice, empty, in the wrong order or of too many rows is refused")
  func heads() {
    for section in ExtrasTests.sections(of: ExtrasTests.golden) {
      let rows = [UInt8](ExtrasTests.golden[section.at..<section.at + 8 + section.length])
      let header = [UInt8](ExtrasTests.golden[..<112])
      let before = [UInt8](ExtrasTests.golden[112..<section.at])
      let after = [UInt8](ExtrasTests.golden[(section.at + rows.count)...])
      var more = rows
      more[2] += 1
      var none = rows
      none[2] = 0
      var empty = rows
      for place in 8..<rows.count { empty[place] = 0 }
      var unknown = rows
      unknown[0] = 12
      let twice: [UInt8] = rows + rows
      let variants: [[UInt8]] = [twice, more, none, empty, unknown]
      for variant in variants {
        var image: [UInt8] = header
        image += before
        image += variant
        image += after
        for byte in 0..<4 { image[4 + byte] = UInt8(truncatingIfNeeded: image.count >> (byte * 8)) }
        image = ExtrasTests.sealed(image)
        #expect(throws: DecodingError.self, "section \(section.kind)") { _ = try Image(from: image.span.rawBytes) }
      }
    }
  }

  @Test("random accounts survive encoding and decoding, byte for byte")
  func random() throws {
    var random = SplitMix64(seed: 20_261_122)
    for round in 0..<2_000 {
      let account = try ExtrasFixture.random(&random)
      let encoded = ExtrasTests.encode(Image(account: account, due: ExtrasFixture.time))
      let image = try Image(from: encoded.span.rawBytes)
      #expect(ExtrasTests.encode(image) == encoded, "round \(round)")
      // The holds of an image are the account's: their account is not stored with each.
      #expect(image.account.balance == account.balance && image.account.grants == account.grants, "round \(round)")
      #expect(image.account.extras.holds.allSatisfy { $0.account == account.id })
      var stored = account.extras
      stored.holds = image.account.extras.holds
      #expect(image.account.extras == stored, "round \(round)")
      #expect(image.account.tripTime == account.tripTime && image.account.tripLevel == account.tripLevel)
    }
  }

  @Test("codes of sections, and of enumerations that images keep, are those of the file format")
  func codes() {
    #expect(
      ImageSection.allCases.map { "\($0)" } == [
        "usable", "pending", "holds", "plan", "alerts", "refill", "methods", "charges", "unpaid", "corrected",
        "counters",
      ])
    #expect(ImageSection.allCases.map(\.rawValue) == Array(1...11))
    #expect(Hold.End.allCases.map { "\($0.rawValue) \($0)" } == ["0 release", "1 capture"])
    #expect(HoldOutcome.Cause.allCases.map { "\($0.rawValue) \($0)" } == ["0 caller", "1 deadline"])
    #expect(Period.allCases.map { "\($0.rawValue) \($0)" } == ["1 day", "2 week", "3 month", "4 year"])
    #expect(Charge.Kind.allCases.map { "\($0.rawValue) \($0)" } == ["1 refill", "2 purchase"])
    #expect(
      Charge.Status.allCases.map { "\($0.rawValue) \($0)" } == [
        "1 due", "2 charging", "3 needs action", "4 processing", "5 unknown", "6 mismatched",
      ])
    #expect(
      RefillState.Suspension.allCases.map { "\($0.rawValue) \($0)" } == ["1 declined", "2 no method", "3 disputed"])
    #expect(
      Rearming.allCases.map { "\($0.rawValue) \($0)" } == [
        "1 cooled", "2 period", "3 method", "4 purchase", "5 byHand",
      ])
    #expect(
      Cancellation.allCases.map { "\($0.rawValue) \($0)" } == [
        "1 notNeeded", "2 capped", "3 changed", "4 frozen", "5 closed", "6 neverCharged",
      ])
    #expect(
      Grant.Source.Kind.allCases.map { "\($0.rawValue) \($0)" } == [
        "1 allowance", "2 purchase", "3 refill", "4 promotion", "5 correction",
      ])
  }
}
