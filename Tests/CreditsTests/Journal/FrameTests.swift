import Testing

@testable import Credits

@Suite("Frames")
struct FrameTests {
  private static let perBlock = (Block.capacity - Block.Header.size) / Entry.size

  private func entry(_ time: Int64 = 5) -> Entry {
    Entry(
      .debited, account: EntryTests.account, request: EntryTests.request, amount: 1, available: 2,
      time: Timestamp(microseconds: time), previous: .none)
  }

  @Test("entries get numbers in a row, and a full frame refuses")
  func capacity() {
    let frame = Frame(kibibytes: 64, tail: Tail())
    frame.begin(at: SequenceNumber(100))
    #expect(frame.isEmpty && frame.first.value == 100 && frame.next.value == 100 && frame.blockCount == 0)
    var count: UInt64 = 0
    while frame.makeRoom(Entry.size) {
      frame.add(entry())
      count += 1
      #expect(frame.next.value == 100 + count)
    }
    #expect(count == UInt64(2 * FrameTests.perBlock))
    #expect(frame.blockCount == 2 && frame.first.value == 100)
    #expect(!frame.makeRoom(Entry.size), "it stays full")
  }

  @Test("blocks end where the next record does not fit, and are chained")
  func blocks() throws {
    let frame = Frame(kibibytes: 128, tail: Tail())
    frame.begin(at: SequenceNumber(1))
    for time in 0..<Int64(FrameTests.perBlock) + 10 {
      #expect(frame.makeRoom(Entry.size))
      frame.add(entry(1_000 - time))
    }
    #expect(frame.seal(after: 77) != 77)
    var headers: [Block.Header] = []
    var sums: [UInt64] = [77]
    try frame.forEachBlock { (first, bytes) throws(DecodingError) in
      let (header, sum) = try Block.verify(bytes)
      #expect(header.first == first && header.previous == sums.last)
      headers.append(header)
      sums.append(sum)
    }
    #expect(headers.map(\.count) == [FrameTests.perBlock, 10])
    #expect(headers.map(\.first.value) == [1, UInt64(FrameTests.perBlock) + 1])
    #expect(
      headers[0].latest.microseconds == 1_000 && headers[0].earliest.microseconds == 1_001 - Int64(FrameTests.perBlock))
    #expect(frame.header(ofBlock: 1) == headers[1])
  }

  @Test("the latest time of blocks never goes back, though that of entries may")
  func latest() throws {
    let frame = Frame(kibibytes: 128, tail: Tail())
    frame.begin(at: SequenceNumber(1))
    for index in 0..<3 * FrameTests.perBlock {
      #expect(frame.makeRoom(Entry.size))
      frame.add(entry([500, 200, 700][index / FrameTests.perBlock]))
    }
    _ = frame.seal(after: 0, at: Timestamp(microseconds: 400))
    #expect((0..<3).map { frame.header(ofBlock: $0).latest.microseconds } == [500, 500, 700])
    frame.begin(at: frame.next)
    #expect(frame.makeRoom(Entry.size))
    frame.add(entry(650))
    _ = frame.seal(after: 0, at: Timestamp(microseconds: 700))
    let header = frame.header(ofBlock: 0)
    #expect(header.latest.microseconds == 700 && header.earliest.microseconds == 650)
  }

  @Test("a sealed frame begins anew, without anything left of before")
  func reuse() {
    let frame = Frame(kibibytes: 64, tail: Tail())
    frame.begin(at: SequenceNumber(1))
    #expect(frame.makeRoom(Entry.size))
    frame.add(entry())
    frame.writes.append(.label(EntryTests.account, "a"))
    _ = frame.seal(after: 0)
    frame.begin(at: frame.next)
    #expect(frame.isEmpty && frame.next.value == 2 && frame.writes.isEmpty && frame.blockCount == 0)
    #expect(frame.seal(after: 9) == 9, "an empty frame has no block and leaves the chain as it is")
  }

  @Test("room is promised for several records only if each of them then finds it", arguments: 380..<420)
  func room(_ filled: Int) {
    let parts = (0..<300).map { Item.part(grant: UInt32($0), amount: 1) }
    let records = [Record(entry()), Record(entry(), parts), Record(entry()), Record(entry(), parts)]
    let frame = Frame(kibibytes: 64, tail: Tail())
    frame.begin(at: SequenceNumber(1))
    for _ in 0..<filled {
      _ = frame.makeRoom(Entry.size)
      frame.add(entry())
    }
    var sets = 0
    while frame.hasRoom(for: records) {
      for record in records {
        #expect(frame.makeRoom(record.size))
        frame.add(record)
      }
      sets += 1
    }
    #expect(sets > 0 && sets < 8)
  }
}
