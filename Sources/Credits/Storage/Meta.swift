internal import LMDB

/// The records of the table `meta`: what a store is, and how far it has come.
enum Meta {
  /// The version of the store's format.
  static let format: UInt32 = 1

  /// What a store is: written once, when it is made.
  struct Identity: Equatable {
    /// The store's own 128 bits, different for each store.
    let store: RequestID
    /// The secret by which ids are spread.
    let key: HashKey
    /// When the store was made.
    let created: Timestamp
  }

  /// How far the images have come: they include every entry up to the cursor.
  struct Checkpoint: Equatable {
    let cursor: SequenceNumber
    /// The store's latest time when it was written.
    let time: Timestamp
  }

  /// How far the journal was trimmed: entries before the first are gone.
  struct Trim: Equatable {
    let first: SequenceNumber
    /// The latest time of an entry that is gone.
    let time: Timestamp
  }

  private static func name(_ text: StaticString) -> [UInt8] { Array("\(text)".utf8) }

  static func identity(in transaction: borrowing some Transaction & ~Copyable, _ database: Database) throws(StoreError)
    -> Identity?
  {
    guard let words = try read("identity", 7, in: transaction, database) else { return nil }
    guard words[0] == UInt64(format) else {
      throw .unsupportedVersion(found: UInt32(truncatingIfNeeded: words[0]), supported: format)
    }
    return Identity(
      store: RequestID(high: words[1], low: words[2]), key: HashKey(words[3], words[4], words[5]),
      created: Timestamp(microseconds: Int64(bitPattern: words[6])))
  }

  static func checkpoint(in transaction: borrowing some Transaction & ~Copyable, _ database: Database)
    throws(StoreError) -> Checkpoint
  {
    guard let words = try read("checkpoint", 2, in: transaction, database) else {
      return Checkpoint(cursor: .none, time: .zero)
    }
    guard words[0] <= SequenceNumber.highest.value else {
      throw .corrupt(what: "the record checkpoint of the store", at: .none, reason: "it is beyond every entry")
    }
    return Checkpoint(cursor: SequenceNumber(words[0]), time: Timestamp(microseconds: Int64(bitPattern: words[1])))
  }

  static func trim(in transaction: borrowing some Transaction & ~Copyable, _ database: Database) throws(StoreError)
    -> Trim
  {
    guard let words = try read("trim", 2, in: transaction, database) else {
      return Trim(first: SequenceNumber(1), time: .zero)
    }
    guard (1...SequenceNumber.highest.value).contains(words[0]) else {
      throw .corrupt(what: "the record trim of the store", at: .none, reason: "it says \(words[0])")
    }
    return Trim(first: SequenceNumber(words[0]), time: Timestamp(microseconds: Int64(bitPattern: words[1])))
  }

  static func write(_ identity: Identity, to transaction: inout WriteTransaction, _ table: Table) throws(LMDBError) {
    let key = identity.key
    try write(
      "identity",
      [
        UInt64(format), identity.store.high, identity.store.low, key.first, key.second, key.third,
        UInt64(bitPattern: identity.created.microseconds),
      ], to: &transaction, table)
  }

  static func write(_ checkpoint: Checkpoint, to transaction: inout WriteTransaction, _ table: Table) throws(LMDBError)
  {
    try write(
      "checkpoint", [checkpoint.cursor.value, UInt64(bitPattern: checkpoint.time.microseconds)], to: &transaction, table
    )
  }

  static func write(_ trim: Trim, to transaction: inout WriteTransaction, _ table: Table) throws(LMDBError) {
    try write("trim", [trim.first.value, UInt64(bitPattern: trim.time.microseconds)], to: &transaction, table)
  }

  /// Which file the store was in when it was last opened, and how often it had been: a copy is another file, or falls
  /// behind.
  struct File: Equatable {
    /// The data file's number in its file system.
    let number: UInt64
    /// The nanosecond at which it was made there; 0 where that is not known.
    let born: UInt64
    /// How often the store was opened.
    var openings: UInt64 = 0

    /// More than any store is opened, and few enough to count on.
    static let mostOpenings: UInt64 = 1 << 62
  }

  static func file(in transaction: borrowing some Transaction & ~Copyable, _ database: Database) throws(StoreError)
    -> File?
  {
    guard let words = try read("file", 3, in: transaction, database) else { return nil }
    guard words[2] <= File.mostOpenings else {
      throw .corrupt(what: "the record file of the store", at: .none, reason: "it was opened \(words[2]) times")
    }
    return File(number: words[0], born: words[1], openings: words[2])
  }

  /// Whether charges are paused, as the store is a copy.
  static func isPaused(in transaction: borrowing some Transaction & ~Copyable, _ database: Database) throws(StoreError)
    -> Bool
  {
    try read("paused", 1, in: transaction, database) != nil
  }

  static func write(_ file: File, to transaction: inout WriteTransaction, _ table: Table) throws(LMDBError) {
    try write("file", [file.number, file.born, file.openings], to: &transaction, table)
  }

  static func writePause(to transaction: inout WriteTransaction, _ table: Table) throws(LMDBError) {
    try write("paused", [1], to: &transaction, table)
  }

  /// The row that ends the pause.
  static var resume: SideWrite { .delete(name("paused"), from: .meta) }

  /// Writes words, little-endian, and their checksum.
  private static func write(
    _ name: StaticString, _ words: [UInt64], to transaction: inout WriteTransaction, _ table: Table
  ) throws(LMDBError) {
    let value = sealed(words)
    let key = Meta.name(name)
    try transaction.put(value.span.rawBytes, for: key.span.rawBytes, in: table)
  }

  /// Words, little-endian, and their checksum.
  static func sealed(_ words: [UInt64]) -> [UInt8] {
    var list = ByteList()
    for word in words { list.add(word) }
    list.add(Checksum.of(list.bytes.span.rawBytes))
    return list.bytes
  }

  private static func read(
    _ name: StaticString, _ count: Int, in transaction: borrowing some Transaction & ~Copyable, _ database: Database
  ) throws(StoreError) -> [UInt64]? {
    let key = Meta.name(name)
    do throws(LMDBError) {
      guard let bytes = unsafe try transaction.get(key.span.bytes, from: database.meta) else { return nil }
      if let words = decode(bytes, count) { return words }
    } catch { throw database.storeError(error) }
    throw .corrupt(what: "the record \(name) of the store", at: .none, reason: "its checksum does not match")
  }

  static func decode(_ bytes: RawSpan, _ count: Int) -> [UInt64]? {
    guard bytes.byteCount == (count + 1) * 8 else { return nil }
    var reader = ByteReader(bytes)
    var words: [UInt64] = []
    for _ in 0...count {
      guard let word = try? reader.read(UInt64.self) else { return nil }
      words.append(word)
    }
    let sum = words.removeLast()
    return sum == Checksum.of(bytes.extracting(0..<count * 8)) ? words : nil
  }
}
