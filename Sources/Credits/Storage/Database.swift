internal import LMDB

/// The store's tables in LMDB, and how to read them.
///
/// | table    | key                                             | value                                   |
/// | -------- | ----------------------------------------------- | --------------------------------------- |
/// | journal  | first sequence number, native integer           | block                                   |
/// | accounts | hash and id, 24 bytes, big-endian               | image                                   |
/// | labels   | id, 16 bytes, big-endian                        | text                                    |
/// | due      | time and accounts key, 32 bytes, big-endian     | nothing                                 |
/// | charges  | id, 16 bytes, big-endian                        | nothing: the account has open charges   |
/// | prices   | version, 4 bytes, big-endian; 0 is the catalogue | JSON, and its checksum                 |
/// | consumers | name                                           | the last entry seen, and its checksum   |
/// | meta     | name                                            | identity, checkpoint, trim, file, paused |
final class Database: Sendable {
  let path: String
  let environment: Environment
  private let readers: ReaderPool
  private let gate = Locked((users: 0, isClosed: false))
  private let left = Bell()
  let journal: Table
  let accounts: Table
  let labels: Table
  let due: Table
  let charges: Table
  let prices: Table
  let consumers: Table
  let meta: Table

  /// Opens the tables; throws if the data file is none of a store.
  init(path: String, mapSize: Int, access: Environment.Settings.Access, durability: Settings.Durability)
    throws(StoreError)
  {
    self.path = path
    var settings = Environment.Settings()
    settings.mapSize = mapSize
    settings.maxReaders = 512
    settings.access = access
    settings.sync = durability == .synced ? .full : .none
    settings.readAhead = .off
    do throws(LMDBError) {
      environment = try Environment.open(at: path, settings: settings)
    } catch { throw StoreError(error, at: path) }
    do throws(LMDBError) {
      let tables = try environment.openTables([
        .init("journal", keys: .integers), .init("accounts", keys: .bytes), .init("labels", keys: .bytes),
        .init("due", keys: .bytes), .init("meta", keys: .bytes), .init("charges", keys: .bytes),
        .init("prices", keys: .bytes), .init("consumers", keys: .bytes),
      ])
      (journal, accounts, labels, due, meta) = (tables[0], tables[1], tables[2], tables[3], tables[4])
      (charges, prices, consumers) = (tables[5], tables[6], tables[7])
      readers = ReaderPool(environment: environment)
      try environment.clearStaleReaders()
    } catch {
      environment.close()
      throw StoreError(error, at: path)
    }
  }

  /// Refuses further use, waits for those who still read, and closes the files.
  func close() {
    gate.withLock { $0.isClosed = true }
    while gate.withLock({ $0.users }) > 0 { left.wait(atMost: .milliseconds(10)) }
    readers.close()
    environment.close()
  }

  /// Runs a function that uses the files; they are not closed meanwhile.
  func use<R>(_ body: () throws(StoreError) -> R) throws(StoreError) -> R {
    let isOpen = gate.withLock { gate in
      if !gate.isClosed { gate.users += 1 }
      return !gate.isClosed
    }
    guard isOpen else { throw .closed }
    defer {
      let isLast = gate.withLock { gate in
        gate.users -= 1
        return gate.users == 0 && gate.isClosed
      }
      if isLast { left.ring() }
    }
    return try body()
  }

  /// Runs a function on a snapshot of the store.
  func read<R>(_ body: (borrowing ReadTransaction) throws(StoreError) -> R) throws(StoreError) -> R {
    try use { () throws(StoreError) -> R in
      try readers.withReader(orThrow: { StoreError($0, at: path) }, body)
    }
  }

  /// Reads the image of an account; nil if there is none.
  func image(of account: AccountID, hash: UInt64) throws(StoreError) -> Image? {
    try read { (transaction) throws(StoreError) -> Image? in try image(of: account, hash: hash, in: transaction) }
  }

  /// Reads the image of an account in a snapshot.
  func image(
    of account: AccountID, hash: UInt64, in transaction: borrowing ReadTransaction
  ) throws(StoreError) -> Image? {
    let key = Key.image(account, hash: hash)
    do {
      guard let bytes = try transaction.get(key.bytes, from: accounts) else { return nil }
      let image = try Image(from: bytes)
      guard image.account.id == account else { throw DecodingError("it is of account \(image.account.id)") }
      return image
    } catch { throw storeError(error, reading: "the image of account \(account)", at: .none) }
  }

  /// Writes a row that goes beside the entries.
  func write(_ row: SideWrite, to transaction: inout WriteTransaction) throws(LMDBError) {
    switch row {
    case .put(let value, let key, let place):
      try transaction.put(value.span.rawBytes, for: key.span.rawBytes, in: table(place))
    case .delete(let key, let place): try transaction.delete(key.span.rawBytes, from: table(place))
    }
  }

  private func table(_ place: SideWrite.Place) -> Table {
    switch place {
    case .labels: labels
    case .meta: meta
    case .prices: prices
    case .consumers: consumers
    }
  }

  /// The accounts that have a row in the table of open charges.
  func accountsWithCharges() throws(StoreError) -> [AccountID] {
    try read { (transaction) throws(StoreError) -> [AccountID] in
      var accounts: [AccountID] = []
      do throws(LMDBError) {
        var cursor = try transaction.cursor(on: charges)
        var isMore = try cursor.first()
        while isMore {
          if cursor.key.byteCount == 16 {
            accounts.append(AccountID(high: cursor.key.keyWord(0), low: cursor.key.keyWord(1)))
          }
          isMore = try cursor.next()
        }
      } catch { throw storeError(error) }
      return accounts
    }
  }

  /// Writes a batch of images, and sees to their accounts' rows in the tables of due times and of open charges.
  func put(_ batch: ImageBatch, to transaction: inout WriteTransaction) throws(LMDBError) {
    for mark in batch.marks {
      let key = Key.image(mark.account, hash: mark.hash)
      try transaction.put(batch.bytes(of: mark), for: key.bytes, in: accounts)
      if mark.hadCharges != mark.hasCharges {
        let row = Key.account(mark.account)
        if mark.hasCharges {
          try transaction.put(Database.nothing.span.rawBytes, for: row.bytes, in: charges)
        } else {
          try transaction.delete(row.bytes, from: charges)
        }
      }
      guard mark.oldDue != mark.newDue else { continue }
      if mark.oldDue != .never {
        let row = Key.due(mark.oldDue, mark.account, hash: mark.hash)
        try transaction.delete(row.bytes, from: due)
      }
      if mark.newDue != .never {
        let row = Key.due(mark.newDue, mark.account, hash: mark.hash)
        try transaction.put(Database.nothing.span.rawBytes, for: row.bytes, in: due)
      }
    }
  }

  private static let nothing: [UInt8] = []

  /// The store's error for a failure of the storage below.
  func storeError(_ error: any Error) -> StoreError {
    switch error {
    case let error as LMDBError: StoreError(error, at: path)
    case let error as StoreError: error
    default: .inputOutput(path: path, reason: "\(error)")
    }
  }

  /// The store's error for a failure while something was read; what does not decode is corrupt.
  func storeError(_ error: any Error, reading what: String, at place: SequenceNumber) -> StoreError {
    guard let error = error as? DecodingError else { return storeError(error) }
    return .corrupt(what: what, at: place, reason: error.reason)
  }
}

/// Keys of several integers, big-endian, so that their order is that of the numbers.
struct Key {
  private let words: InlineArray<4, UInt64>
  private let count: Int

  /// The key of an account's image.
  static func image(_ account: AccountID, hash: UInt64) -> Key {
    Key(words: [hash.bigEndian, account.high.bigEndian, account.low.bigEndian, 0], count: 3)
  }

  /// The key of an account's label, and of its row in the table of open charges.
  static func account(_ account: AccountID) -> Key {
    Key(words: [account.high.bigEndian, account.low.bigEndian, 0, 0], count: 2)
  }

  /// The key of an account's row in the table of due times.
  static func due(_ time: Timestamp, _ account: AccountID, hash: UInt64) -> Key {
    let bits = UInt64(bitPattern: time.microseconds)
    return Key(words: [bits.bigEndian, hash.bigEndian, account.high.bigEndian, account.low.bigEndian], count: 4)
  }

  /// The key that comes directly after this one of four words.
  var next: Key {
    var words = words
    for index in (0..<4).reversed() {
      words[index] = (UInt64(bigEndian: words[index]) &+ 1).bigEndian
      if words[index] != 0 { break }
    }
    return Key(words: words, count: count)
  }

  /// The key's bytes.
  var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      let span = unsafe words.span.bytes.extracting(0..<count * 8)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }
}

extension RawSpan {
  /// The big-endian integer at a place of a key.
  func keyWord(_ index: Int) -> UInt64 {
    // Safe: keys are made by `Key`, and their length is checked by the caller.
    unsafe UInt64(bigEndian: unsafeLoadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
  }
}
