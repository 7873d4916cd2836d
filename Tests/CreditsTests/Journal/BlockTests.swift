import LMDB
import Testing

@testable import Credits

@Suite("Blocks")
struct BlockTests {
  static let header = Block.Header(
    first: SequenceNumber(42), count: 2, bytes: 208, earliest: Timestamp(microseconds: 1_700_000_000_000_000),
    latest: Timestamp(microseconds: 1_700_000_000_000_001), previous: 0x5152_5354_5556_5758)

  static let checksum: UInt64 = 0x6AD7_4B1D_E1DD_9386

  static let golden = bytes(
    """
    43524a420100400002000000d00000002a0000000000000000401e18240a060001401e18240a06005857565554535251
    00000000000000008693dde11d4bd76a04010a00040302011817161514131211201f1e1d1c1b1a192827262524232221
    302f2e2d2c2b2a29414b4c0000000000c2cf6a000000000000401e18240a060029000000000000003433323144434241
    02021000070000001817161514131211201f1e1d1c1b1a192827262524232221312f2e2d2c2b2a290065cd1d00000000
    c2cf6a000000000001401e18240a06002a00000000000000000000001e00000002000900020000006f726465722d3137
    7800000000000000030010000000000001401e18240a06000080982817650600
    """)

  @Test("a sealed block has the bytes of the file format")
  func seal() {
    var memory = [UInt8](repeating: 0xEE, count: 64) + EntryTests.debitBytes + EntryTests.grantBytes
    let sum = unsafe memory.withUnsafeMutableBytes { unsafe Block.seal(BlockTests.header, in: $0) }
    #expect(sum == BlockTests.checksum)
    #expect(memory == BlockTests.golden)
  }

  @Test("a block is verified, and names the checksum of the block before")
  func verify() throws {
    let (header, checksum) = try Block.verify(BlockTests.golden.span.rawBytes)
    #expect(header == BlockTests.header && checksum == BlockTests.checksum)
    #expect(header.last == SequenceNumber(43))
  }

  @Test("a flipped bit anywhere in a block is found")
  func flips() {
    for bit in 0..<BlockTests.golden.count * 8 {
      var damaged = BlockTests.golden
      damaged[bit / 8] ^= 1 << (bit % 8)
      #expect(throws: DecodingError.self, "bit \(bit)") { _ = try Block.verify(damaged.span.rawBytes) }
    }
  }

  @Test("a block that is cut off or too long is found")
  func lengths() {
    for count in 0..<BlockTests.golden.count {
      let cut = Array(BlockTests.golden[..<count])
      #expect(throws: DecodingError.self) { _ = try Block.verify(cut.span.rawBytes) }
    }
    #expect(throws: DecodingError.self) { _ = try Block.verify((BlockTests.golden + [0]).span.rawBytes) }
  }

  @Test(
    "a header with a wrong field is refused before its checksum is looked at",
    arguments: [(0, "begin"), (4, "version"), (6, "size"), (8, "entries"), (12, "entries"), (48, "reserved")])
  func headers(_ position: Int, _ reason: String) {
    var damaged = BlockTests.golden
    damaged[position] = 200
    let error = #expect(throws: DecodingError.self) { _ = try Block.header(of: damaged.span.rawBytes) }
    #expect(error?.reason.contains(reason) == true, "\(error?.reason ?? "")")
  }

  @Test("a record is found by its sequence number, and none beside")
  func lookUp() throws {
    let block = BlockTests.golden
    #expect(try Block.record(SequenceNumber(42), in: block.span.rawBytes).entry.kind == .debited)
    #expect(try Block.record(SequenceNumber(43), in: block.span.rawBytes).text(.reference) == "order-17x")
    for outside in [0, 41, 44, UInt64.max] {
      #expect(throws: DecodingError.self) { _ = try Block.record(SequenceNumber(outside), in: block.span.rawBytes) }
    }
  }

  @Test("all records of a block come in order, with their numbers")
  func walk() throws {
    var seen: [UInt64] = []
    try Block.forEach(in: BlockTests.golden.span.rawBytes) { (_, sequence) in seen.append(sequence.value) }
    #expect(seen == [42, 43])
  }
}
