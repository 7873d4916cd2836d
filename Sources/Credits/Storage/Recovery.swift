internal import LMDB

/// Brings a ledger up to the end of the journal when a store is opened.
struct Recovery {
  /// Where the journal ends, and from where on requests are remembered.
  struct Result {
    var next = SequenceNumber(1)
    var checksum: UInt64 = 0
    var latest = Timestamp.zero
    var cursor = SequenceNumber.none
    var firstKept = SequenceNumber(1)
    var forgotten = SequenceNumber.none
    var forgottenTime = Timestamp.zero
    /// The number of entries that were applied to accounts.
    var replayed: UInt64 = 0
  }

  let database: Database
  let settings: Settings
  private(set) var result = Result()

  init(database: Database, settings: Settings) {
    self.database = database
    self.settings = settings
  }

  /// Finds the end of the journal, and where the request window begins, by looking at headers only.
  mutating func findEnds() throws(StoreError) {
    let settings = settings
    let database = database
    result = try database.read { (transaction) throws(StoreError) -> Result in
      var result = Result()
      let checkpoint = try Meta.checkpoint(in: transaction, database)
      let trim = try Meta.trim(in: transaction, database)
      result.cursor = checkpoint.cursor
      result.latest = checkpoint.time
      result.firstKept = trim.first
      result.forgotten = SequenceNumber(trim.first.value - 1)
      result.forgottenTime = trim.time
      do {
        var cursor = try transaction.cursor(on: database.journal)
        guard try cursor.last() else {
          guard checkpoint.cursor == .none, trim.first.value == 1 else { throw DecodingError("all of it is missing") }
          return result
        }
        let (end, checksum) = try Block.verify(cursor.value)
        result.next = SequenceNumber(end.last.value + 1)
        result.checksum = checksum
        result.latest = max(result.latest, end.latest)
        guard checkpoint.cursor <= end.last else {
          throw DecodingError("it ends at \(end.last), the images include all up to \(checkpoint.cursor)")
        }
        var count: UInt64 = UInt64(end.count)
        while try cursor.previous() {
          let header = try Block.header(of: cursor.value).header
          if count >= UInt64(settings.windowRequests)
            || result.latest.duration(since: header.latest) > settings.windowAge
          {
            result.forgotten = header.last
            result.forgottenTime = header.latest
            break
          }
          count += UInt64(header.count)
        }
      } catch let error as DecodingError {
        throw .corrupt(what: "the journal", at: result.next, reason: error.reason)
      } catch let error as LMDBError {
        throw database.storeError(error)
      } catch { throw .inputOutput(path: database.path, reason: "\(error)") }
      return result
    }
  }

  /// Applies the journal after the checkpoint to the ledger's accounts, and fills the request window.
  mutating func replay(into ledger: Ledger) throws(StoreError) {
    let start = min(result.cursor.value, result.forgotten.value) + 1
    guard start < result.next.value else { return }
    ledger.window.reserve(Int(result.next.value - result.forgotten.value))
    var place = SequenceNumber(max(start, result.firstKept.value))
    while place < result.next {
      let (result, database) = (self.result, self.database)
      let run = try database.read { (transaction) throws(StoreError) -> Run in
        try Recovery.replay(from: place, result, into: ledger, in: transaction, database)
      }
      place = run.next
      self.result.replayed += run.replayed
      self.result.latest = max(self.result.latest, run.latest)
      if place < result.next { try flush(ledger) }
    }
    if ledger.residentCount > settings.residentAccounts { try flush(ledger) }
  }

  /// A part of the journal that was replayed at one go.
  private struct Run {
    var next: SequenceNumber
    var latest = Timestamp.zero
    var replayed: UInt64 = 0
  }

  /// Replays blocks until the end of the journal, or until too many accounts are in memory.
  private static func replay(
    from place: SequenceNumber, _ result: Result, into ledger: Ledger,
    in transaction: borrowing ReadTransaction, _ database: Database
  ) throws(StoreError) -> Run {
    var run = Run(next: place)
    do {
      var cursor = try transaction.cursor(on: database.journal)
      guard try cursor.seek(lessOrEqual: place.value) else { throw DecodingError("its first block is missing") }
      var previous: UInt64?
      var isMore = true
      while isMore {
        let (header, checksum) = try Block.verify(cursor.value)
        guard header.first.value == cursor.integerKey, header.first <= run.next else {
          throw DecodingError("a block from \(header.first) is stored under \(cursor.integerKey)")
        }
        if let previous, previous != header.previous { throw DecodingError("a block does not follow the one before") }
        previous = checksum
        run.latest = max(run.latest, header.latest)
        run.replayed += try apply(cursor.value, header, from: run.next, result, to: ledger)
        run.next = SequenceNumber(header.last.value + 1)
        isMore = try cursor.next()
        if isMore, ledger.isOverfull { return run }
      }
      guard run.next == result.next else { throw DecodingError("a block is missing") }
    } catch let error as DecodingError {
      throw .corrupt(what: "the journal", at: run.next, reason: error.reason)
    } catch let error as LMDBError {
      throw database.storeError(error)
    } catch let error as StoreError {
      throw error
    } catch { throw .inputOutput(path: database.path, reason: "\(error)") }
    return run
  }

  private static func apply(
    _ block: RawSpan, _ header: Block.Header, from start: SequenceNumber, _ result: Result, to ledger: Ledger
  ) throws -> UInt64 {
    var offset = Block.Header.size
    var remembered: [RequestWindow.Remembered] = []
    var changes: [(offset: Int, hash: UInt64, sequence: SequenceNumber)] = []
    remembered.reserveCapacity(header.last > result.forgotten ? header.count : 0)
    changes.reserveCapacity(header.last > result.cursor ? header.count : 0)
    for index in 0..<UInt64(header.count) {
      let sequence = SequenceNumber(header.first.value + index)
      let entry = try Entry(from: block, at: offset)
      let hash = ledger.key.hash(entry.account)
      if sequence >= start {
        if sequence > result.cursor { changes.append((offset, hash, sequence)) }
        if sequence > result.forgotten, entry.request != .none {
          remembered.append((ledger.key.fingerprint(entry.request, of: hash), sequence))
        }
      }
      offset += Int(entry.words) * 8
    }
    guard offset == block.byteCount else { throw DecodingError("a block is longer than its entries") }
    // All lines of memory that the block needs are fetched before the first is used.
    for change in changes { ledger.prefetchIndex(change.hash) }
    for change in changes { ledger.prefetchSlot(change.hash) }
    for change in changes {
      try ledger.replay(try Record(from: block, at: change.offset), change.hash, at: change.sequence)
    }
    ledger.window.restore(remembered)
    return UInt64(changes.count)
  }

  /// Writes the images of all dirty accounts and lets clean ones go, so that memory stays within its bound.
  private func flush(_ ledger: Ledger) throws(StoreError) {
    let batch = ImageBatch()
    var place = SweepPosition()
    while !ledger.sweep(from: &place, positions: ledger.sweepLength, commit: 0, into: batch) {}
    do throws(LMDBError) {
      var transaction = try database.environment.beginWrite()
      try database.put(batch, to: &transaction)
      try transaction.commit()
    } catch { throw database.storeError(error) }
    ledger.trim(durable: 0)
  }
}
