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

    /// The first entry that is to be applied to an account, or whose request is to be remembered.
    var place: SequenceNumber { SequenceNumber(max(min(cursor.value, forgotten.value) + 1, firstKept.value)) }
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
        guard trim.first <= end.first else {
          throw DecodingError("it ends with the block from \(end.first), all before \(trim.first) is noted to be gone")
        }
        var count: UInt64 = UInt64(end.count)
        var follower = end.first
        while try cursor.previous() {
          let header = try Block.header(of: cursor.value).header
          guard header.last.value + 1 == follower.value else {
            throw DecodingError("a block before \(follower) is missing")
          }
          follower = header.first
          if count >= UInt64(settings.windowRequests)
            || result.latest.duration(since: header.latest) > settings.windowAge
          {
            // The others up to the end are replayed, and looked at then.
            _ = try Block.verify(cursor.value)
            result.forgotten = header.last
            // No block before it is later, and none that is gone.
            result.forgottenTime = max(trim.time, header.latest)
            break
          }
          count += UInt64(header.count)
        }
      } catch { throw database.storeError(error, reading: "the journal", at: result.next) }
      return result
    }
  }

  /// Applies the journal after the checkpoint to the ledger's accounts, and fills the request window.
  mutating func replay(into ledger: Ledger) throws(StoreError) {
    guard result.place < result.next else { return }
    ledger.window.prepare(for: Int(result.next.value - result.forgotten.value))
    var replay = Replay(database, ledger, result)
    try replay.run { () throws(StoreError) in try flush(ledger) }
    result.latest = replay.latest
    result.replayed = replay.applied
    if ledger.residentCount > settings.residentAccounts { try flush(ledger) }
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
