/// A run of entries that is stored as one value of the journal, under the sequence number of its first entry.
///
/// A block is a header of 64 bytes and its entries. Its checksum covers both; the checksum of the block before
/// it is in the header, so a missing, moved or damaged block is found.
package enum Block {
  /// The most bytes of a block: what fits into eight pages of LMDB with their header.
  package static let capacity = 32_752

  /// The header of a block.
  package struct Header: Hashable, Sendable {
    /// The sequence number of the first entry.
    package var first: SequenceNumber
    /// The number of entries.
    package var count: Int
    /// The length of the entries in bytes.
    package var bytes: Int
    /// The earliest time of an entry.
    package var earliest: Timestamp
    /// The latest time of an entry of this block or of one before it, or one that the store had come to before.
    package var latest: Timestamp
    /// The checksum of the block before; 0 for the first.
    package var previous: UInt64

    /// The sequence number of the last entry.
    package var last: SequenceNumber { SequenceNumber(first.value + UInt64(count) - 1) }

    package init(
      first: SequenceNumber, count: Int, bytes: Int, earliest: Timestamp, latest: Timestamp, previous: UInt64
    ) {
      self.first = first
      self.count = count
      self.bytes = bytes
      self.earliest = earliest
      self.latest = latest
      self.previous = previous
    }

    /// The length of a header in bytes.
    package static let size = 64
    /// "CRJB" in ASCII.
    package static let magic: UInt32 = 0x424A_5243
    /// The version of the block format.
    package static let version: UInt16 = 1
  }

  /// Writes the header in front of the entries, and answers the block's checksum.
  package static func seal(_ header: Header, in memory: UnsafeMutableRawBufferPointer) -> UInt64 {
    var writer = unsafe ByteWriter(memory)
    writer.write(Header.magic)
    writer.write(Header.version)
    writer.write(UInt16(Header.size))
    writer.write(UInt32(header.count))
    writer.write(UInt32(header.bytes))
    writer.write(header.first.value)
    writer.write(header.earliest.microseconds)
    writer.write(header.latest.microseconds)
    writer.write(header.previous)
    writer.write(0 as UInt64)
    let bytes = unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(memory))
    let checksum = self.checksum(of: bytes.extracting(0..<Header.size + header.bytes))
    writer.write(checksum)
    return checksum
  }

  /// Reads a block's header without looking at its checksum.
  package static func header(of bytes: RawSpan) throws(DecodingError) -> (header: Header, checksum: UInt64) {
    var reader = ByteReader(bytes)
    guard try reader.read(UInt32.self) == Header.magic else { throw DecodingError("a block does not begin as one") }
    let version = try reader.read(UInt16.self)
    guard version == Header.version else { throw DecodingError("a block is of version \(version)") }
    guard try reader.read(UInt16.self) == UInt16(Header.size) else { throw DecodingError("a header has another size") }
    let count = Int(try reader.read(UInt32.self))
    let length = Int(try reader.read(UInt32.self))
    let first = SequenceNumber(try reader.read())
    let earliest = Timestamp(microseconds: try reader.read())
    let latest = Timestamp(microseconds: try reader.read())
    let previous: UInt64 = try reader.read()
    try reader.readZeros(8)
    let checksum: UInt64 = try reader.read()
    guard length == bytes.byteCount - Header.size, count > 0, count <= length / Entry.size, first > .none,
      first <= .highest
    else { throw DecodingError("a block has \(count) entries in \(length) bytes") }
    let header = Header(
      first: first, count: count, bytes: length, earliest: earliest, latest: latest, previous: previous)
    return (header, checksum)
  }

  /// Reads a block's header and compares its checksum.
  package static func verify(_ bytes: RawSpan) throws(DecodingError) -> (header: Header, checksum: UInt64) {
    let (header, checksum) = try Block.header(of: bytes)
    guard self.checksum(of: bytes) == checksum else { throw DecodingError("a block's checksum does not match") }
    return (header, checksum)
  }

  /// The checksum of a block: that of its entries, seeded with that of the header without its last word.
  private static func checksum(of bytes: RawSpan) -> UInt64 {
    let seed = Checksum.of(bytes.extracting(0..<Header.size - 8))
    return Checksum.of(bytes.extracting(Header.size..<bytes.byteCount), seed: seed)
  }

  /// Calls a function with each record of a block and its sequence number, in order.
  package static func forEach(
    in bytes: RawSpan, _ body: (borrowing Record, SequenceNumber) throws(DecodingError) -> Void
  ) throws(DecodingError) {
    let header = try Block.header(of: bytes).header
    var offset = Header.size
    for index in 0..<header.count {
      let record = try Record(from: bytes, at: offset)
      try body(record, SequenceNumber(header.first.value + UInt64(index)))
      offset += record.size
    }
    guard offset == bytes.byteCount else { throw DecodingError("a block is longer than its entries") }
  }

  /// The record of a sequence number that the block contains.
  package static func record(_ sequence: SequenceNumber, in bytes: RawSpan) throws(DecodingError) -> Record {
    let header = try Block.header(of: bytes).header
    guard sequence >= header.first, sequence <= header.last else {
      throw DecodingError("a block from \(header.first) to \(header.last) does not contain the entry")
    }
    var offset = Header.size
    for _ in 0..<sequence.value - header.first.value { offset += Int(try Entry(from: bytes, at: offset).words) * 8 }
    return try Record(from: bytes, at: offset)
  }
}
