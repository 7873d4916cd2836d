extension Entry {
  /// Writes the fixed part to memory; 80 bytes, which the caller has reserved.
  @inline(__always) package func store(to memory: UnsafeMutableRawPointer) {
    // Safe: an entry's layout in memory is its layout on disk (a test holds them together), and the caller has reserved
    // the bytes.
    unsafe memory.storeBytes(of: self, as: Entry.self)
  }

  /// Reads the fixed part of an entry, and checks that its length fits into the bytes.
  package init(from bytes: RawSpan, at start: Int) throws(DecodingError) {
    guard start + Entry.size <= bytes.byteCount else { throw DecodingError("an entry ends too early") }
    // Safe here and below: the range was checked, and any bytes make an integer.
    func word(_ at: Int) -> UInt64 { unsafe bytes.unsafeLoadUnaligned(fromByteOffset: start + at, as: UInt64.self) }
    let first = word(0)
    guard let kind = Kind(rawValue: UInt8(truncatingIfNeeded: first)) else {
      throw DecodingError("an entry is of the unknown kind \(first & 0xFF)")
    }
    self.init(
      kind, account: AccountID(high: word(8), low: word(16)), request: RequestID(high: word(24), low: word(32)),
      amount: Amount(millionths: Int64(bitPattern: word(40))),
      available: Amount(millionths: Int64(bitPattern: word(48))),
      time: Timestamp(microseconds: Int64(bitPattern: word(56))), previous: SequenceNumber(word(64)))
    detail = UInt8(truncatingIfNeeded: first >> 8)
    words = UInt16(truncatingIfNeeded: first >> 16)
    grant = UInt32(truncatingIfNeeded: first >> 32)
    price = UInt32(truncatingIfNeeded: word(72))
    units = UInt32(truncatingIfNeeded: word(72) >> 32)
    guard words >= Entry.size / 8, start + Int(words) * 8 <= bytes.byteCount else {
      throw DecodingError("an entry has the impossible length of \(words) words")
    }
  }
}

extension Record {
  /// The length of the whole record in bytes.
  package var size: Int { Int(entry.words) * 8 }

  /// Writes the record to memory of at least its size.
  package func store(to memory: UnsafeMutableRawBufferPointer) {
    guard let base = memory.baseAddress, memory.count >= size else {
      preconditionFailure("a record needs \(size) bytes")
    }
    unsafe entry.store(to: base)
    guard !items.isEmpty else { return }
    var writer = unsafe ByteWriter(UnsafeMutableRawBufferPointer(rebasing: memory[Entry.size...]))
    for item in items { item.write(to: &writer) }
  }

  /// Reads a record, and checks every byte of it.
  package init(from bytes: RawSpan, at start: Int) throws(DecodingError) {
    let entry = try Entry(from: bytes, at: start)
    self.entry = entry
    guard Int(entry.words) * 8 > Entry.size else { return }
    let end = start + Int(entry.words) * 8
    var reader = ByteReader(bytes.extracting(0..<end), at: start + Entry.size)
    while reader.remaining > 0 { items.append(try Item(from: &reader)) }
  }
}

extension Item {
  private enum Tag {
    static let part: UInt8 = 1
    static let text: UInt8 = 2
    static let times: UInt8 = 3
    static let asked: UInt8 = 4
  }

  /// The length of the item in bytes: 8 for its head, and its payload in whole words.
  package var size: Int {
    switch self {
    case .part, .asked: 16
    case .times: 24
    case .text(_, let text): 8 + (text.utf8.count + 7) & ~7
    }
  }

  fileprivate func write(to writer: inout ByteWriter) {
    func head(_ tag: UInt8, _ length: Int, _ value: UInt32) {
      writer.write(tag)
      writer.write(0 as UInt8)
      writer.write(UInt16(length))
      writer.write(value)
    }
    switch self {
    case .part(let grant, let amount):
      head(Tag.part, 8, grant)
      writer.write(amount.millionths)
    case .text(let kind, let text):
      head(Tag.text, text.utf8.count, kind.rawValue)
      writer.writeText(text)
    case .times(let starts, let expires):
      head(Tag.times, 16, 0)
      writer.write(starts.microseconds)
      writer.write(expires.microseconds)
    case .asked(let amount):
      head(Tag.asked, 8, 0)
      writer.write(amount.millionths)
    }
  }

  @_lifetime(reader: copy reader)
  fileprivate init(from reader: inout ByteReader) throws(DecodingError) {
    let tag: UInt8 = try reader.read()
    try reader.readZeros(1)
    let length = Int(try reader.read(UInt16.self))
    let value: UInt32 = try reader.read()
    func expect(_ expected: Int) throws(DecodingError) {
      guard length == expected else { throw DecodingError("an item of kind \(tag) has the length \(length)") }
    }
    switch tag {
    case Tag.part:
      try expect(8)
      self = .part(grant: value, amount: Amount(millionths: try reader.read()))
    case Tag.text:
      guard let kind = Text(rawValue: value) else { throw DecodingError("a text is of the unknown kind \(value)") }
      guard length <= Item.maximumText else { throw DecodingError("a text has \(length) bytes") }
      self = .text(kind, try reader.readText(length))
    case Tag.times:
      try expect(16)
      let starts = Timestamp(microseconds: try reader.read())
      self = .times(starts: starts, expires: Timestamp(microseconds: try reader.read()))
    case Tag.asked:
      try expect(8)
      self = .asked(Amount(millionths: try reader.read()))
    default: throw DecodingError("an item is of the unknown kind \(tag)")
    }
  }
}
