extension Entry {
  /// Writes the fixed part to memory; 80 bytes, which the caller has reserved.
  @inline(__always) package func store(to memory: UnsafeMutableRawPointer) {
    // Safe: an entry's layout in memory is its layout on disk (a test holds them together), and the caller has reserved
    // the bytes.
    unsafe memory.storeBytes(of: self, as: Entry.self)
  }

  /// The length of an entry with one count as its only item.
  @inline(__always) package static var sizeWithCount: Int { size + 16 }

  /// Writes an entry and the count of its second kind of units, its only item; `sizeWithCount` bytes, reserved.
  @inline(__always) package func store(to memory: UnsafeMutableRawPointer, furtherUnits: UInt32) {
    var entry = self
    entry.words = UInt16(Entry.sizeWithCount / 8)
    unsafe entry.store(to: memory)
    let head = UInt64(Item.Tag.number.rawValue) | 8 << 16 | UInt64(Item.Number.count1.rawValue) << 32
    unsafe memory.storeBytes(of: head.littleEndian, toByteOffset: Entry.size, as: UInt64.self)
    unsafe memory.storeBytes(of: UInt64(furtherUnits).littleEndian, toByteOffset: Entry.size + 8, as: UInt64.self)
  }

  /// Reads the fixed part of an entry, and checks that its length fits into the bytes.
  @inline(__always) package init(from bytes: RawSpan, at start: Int) throws(DecodingError) {
    guard start >= 0, start <= bytes.byteCount - Entry.size else { throw DecodingError("an entry ends too early") }
    // Safe here and below: the range was checked, and any bytes make an integer.
    func word(_ at: Int) -> UInt64 {
      unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: start &+ at, as: UInt64.self)
    }
    let first = word(0)
    let code = UInt8(truncatingIfNeeded: first)
    guard Kind.codes.contains(code) else { throw DecodingError("an entry is of the unknown kind \(code)") }
    self.init(
      code, account: AccountID(high: word(8), low: word(16)), request: RequestID(high: word(24), low: word(32)),
      amount: Amount(millionths: Int64(bitPattern: word(40))),
      available: Amount(millionths: Int64(bitPattern: word(48))),
      time: Timestamp(microseconds: Int64(bitPattern: word(56))), previous: SequenceNumber(word(64)))
    detail = UInt8(truncatingIfNeeded: first >> 8)
    words = UInt16(truncatingIfNeeded: first >> 16)
    grant = UInt32(truncatingIfNeeded: first >> 32)
    price = UInt32(truncatingIfNeeded: word(72))
    units = UInt32(truncatingIfNeeded: word(72) >> 32)
    guard words >= Entry.size / 8, Int(words) &* 8 <= bytes.byteCount &- start else {
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
  fileprivate enum Tag: UInt8 {
    case part = 1
    case text = 2
    case times = 3
    case asked = 4
    case returned = 5
    case lapsed = 6
    case rolled = 7
    case moment = 8
    case amount = 9
    case number = 10
    case money = 11
    case request = 12
  }

  /// The length of the item in bytes: 8 for its head, and its payload in whole words.
  package var size: Int {
    switch self {
    case .part, .asked, .returned, .lapsed, .rolled, .moment, .amount, .number: 16
    case .times, .money, .request: 24
    case .text(_, let text): 8 + (text.utf8.count + 7) & ~7
    }
  }

  /// The item's kind, the number in its head, and its payload, unless it is a text.
  private var parts: (tag: Tag, value: UInt32, first: UInt64, second: UInt64?) {
    func bits(_ amount: Amount) -> UInt64 { UInt64(bitPattern: amount.millionths) }
    func bits(_ time: Timestamp) -> UInt64 { UInt64(bitPattern: time.microseconds) }
    return switch self {
    case .part(let grant, let amount): (.part, grant, bits(amount), nil)
    case .text(let kind, _): (.text, kind.rawValue, 0, nil)
    case .times(let starts, let expires): (.times, 0, bits(starts), bits(expires))
    case .asked(let amount): (.asked, 0, bits(amount), nil)
    case .returned(let grant, let amount): (.returned, grant, bits(amount), nil)
    case .lapsed(let grant, let amount): (.lapsed, grant, bits(amount), nil)
    case .rolled(let grant, let amount): (.rolled, grant, bits(amount), nil)
    case .moment(let kind, let time): (.moment, kind.rawValue, bits(time), nil)
    case .amount(let kind, let amount): (.amount, kind.rawValue, bits(amount), nil)
    case .number(let kind, let number): (.number, kind.rawValue, number, nil)
    case .money(let kind, let money):
      (.money, kind.rawValue, UInt64(bitPattern: money.minor), UInt64(money.currency.code))
    case .request(let request): (.request, 0, request.high, request.low)
    }
  }

  fileprivate func write(to writer: inout ByteWriter) {
    let (tag, value, first, second) = parts
    writer.write(tag.rawValue)
    writer.write(0 as UInt8)
    if case .text(_, let text) = self {
      writer.write(UInt16(text.utf8.count))
      writer.write(value)
      writer.writeText(text)
      return
    }
    writer.write(second == nil ? 8 : 16 as UInt16)
    writer.write(value)
    writer.write(first)
    if let second { writer.write(second) }
  }

  @_lifetime(reader: copy reader)
  fileprivate init(from reader: inout ByteReader) throws(DecodingError) {
    let code: UInt8 = try reader.read()
    guard let tag = Tag(rawValue: code) else { throw DecodingError("an item is of the unknown kind \(code)") }
    try reader.readZeros(1)
    let length = Int(try reader.read(UInt16.self))
    let value: UInt32 = try reader.read()
    if tag == .text {
      guard let kind = Text(rawValue: value) else { throw DecodingError("a text is of the unknown kind \(value)") }
      guard length <= kind.maximum else { throw DecodingError("a text has \(length) bytes") }
      self = .text(kind, try reader.readText(length))
      return
    }
    let first: UInt64 = try reader.read()
    let second: UInt64 = length == 16 ? try reader.read() : 0
    let amount = Amount(millionths: Int64(bitPattern: first))
    let time = Timestamp(microseconds: Int64(bitPattern: first))
    var item: Item?
    switch tag {
    case .text: break
    case .part: item = .part(grant: value, amount: amount)
    case .returned: item = .returned(grant: value, amount: amount)
    case .lapsed: item = .lapsed(grant: value, amount: amount)
    case .rolled: item = .rolled(grant: value, amount: amount)
    case .times where value == 0:
      item = .times(starts: time, expires: Timestamp(microseconds: Int64(bitPattern: second)))
    case .asked where value == 0: item = .asked(amount)
    case .moment: item = Moment(rawValue: value).map { .moment($0, time) }
    case .amount: item = Quantity(rawValue: value).map { .amount($0, amount) }
    case .number: item = Number(rawValue: value).map { .number($0, first) }
    case .money:
      if let kind = Sum(rawValue: value), let code = UInt32(exactly: second), let currency = Currency(code: code) {
        item = .money(kind, Money(Int64(bitPattern: first), currency))
      }
    case .request where value == 0: item = .request(RequestID(high: first, low: second))
    case .times, .asked, .request: break
    }
    guard let item else { throw DecodingError("an item of kind \(code) has the unknown value \(value)") }
    guard length == item.size - 8 else { throw DecodingError("an item of kind \(code) has the length \(length)") }
    self = item
  }
}
