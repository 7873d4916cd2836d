internal import Glibc
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
    let place = SequenceNumber(max(start, result.firstKept.value))
    let isShort = result.next.value - place.value < Recovery.fewEntries
    let lanes = isShort ? [Lane()] : Lane.all
    var runs = lanes.map { Run(lane: $0, next: place) }
    while runs.contains(where: { $0.next < result.next }) {
      runs = try Recovery.replay(runs, result, into: ledger, database)
      result.latest = runs.reduce(result.latest) { max($0, $1.latest) }
      if runs.contains(where: { $0.next < result.next }) { try flush(ledger) }
    }
    result.replayed = runs.reduce(0) { $0 + $1.replayed }
    if ledger.residentCount > settings.residentAccounts { try flush(ledger) }
  }

  /// The number of entries below which one lane is faster than several.
  private static let fewEntries: UInt64 = 65_536

  /// A share of all accounts and of all requests, by the leading bits of their hashes: it has stripes and shards of its
  /// own, so that several lanes replay at once without a lock.
  private struct Lane {
    var number = 0
    var bits: UInt64 = 0

    /// As many lanes as there are processors, at most four.
    static var all: [Lane] {
      let processors = sysconf(Int32(_SC_NPROCESSORS_ONLN))
      let bits: UInt64 = processors >= 4 ? 2 : processors >= 2 ? 1 : 0
      return (0..<(1 << Int(bits))).map { Lane(number: $0, bits: bits) }
    }

    func has(_ hash: UInt64) -> Bool { bits == 0 || hash >> (64 - bits) == UInt64(number) }

    /// The stripes of the lane's accounts.
    var stripes: Range<Int> {
      let count = Stripe.count >> Int(bits)
      return number * count..<(number + 1) * count
    }
  }

  /// How far a lane has come.
  private struct Run {
    let lane: Lane
    var next: SequenceNumber
    var latest = Timestamp.zero
    var replayed: UInt64 = 0
  }

  /// Replays in all lanes until the end of the journal, or until a lane has too many accounts in memory.
  private static func replay(
    _ runs: [Run], _ result: Result, into ledger: Ledger, _ database: Database
  ) throws(StoreError) -> [Run] {
    let outcomes = runs.map { _ in Locked<Swift.Result<Run, StoreError>?>(nil) }
    @Sendable func replay(_ run: Run, _ outcome: Locked<Swift.Result<Run, StoreError>?>) {
      let found = Swift.Result { () throws(StoreError) -> Run in
        guard run.next < result.next else { return run }
        return try database.read { (transaction) throws(StoreError) -> Run in
          try Recovery.replay(run, result, into: ledger, in: transaction, database)
        }
      }
      outcome.withLock { $0 = found }
    }
    let workers = zip(runs, outcomes).dropFirst().map { (run, outcome) in Worker { replay(run, outcome) } }
    for (index, worker) in ([nil] + workers).enumerated() where worker == nil {
      // The first lane, and any for which the system has no thread.
      replay(runs[index], outcomes[index])
    }
    for worker in workers { worker?.join() }
    var ends: [Run] = []
    for outcome in outcomes { if let run = try outcome.withLock({ $0 })?.get() { ends.append(run) } }
    return ends
  }

  /// Replays blocks in one lane.
  private static func replay(
    _ start: Run, _ result: Result, into ledger: Ledger, in transaction: borrowing ReadTransaction, _ database: Database
  ) throws(StoreError) -> Run {
    var run = start
    do {
      var cursor = try transaction.cursor(on: database.journal)
      guard try cursor.seek(lessOrEqual: run.next.value) else { throw DecodingError("its first block is missing") }
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
        run.replayed += try apply(cursor.value, header, of: run, result, to: ledger)
        run.next = SequenceNumber(header.last.value + 1)
        isMore = try cursor.next()
        if isMore, ledger.isOverfull(run.lane.stripes) { return run }
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
    _ block: RawSpan, _ header: Block.Header, of run: Run, _ result: Result, to ledger: Ledger
  ) throws -> UInt64 {
    let lane = run.lane
    var offset = Block.Header.size
    var remembered: [RequestWindow.Remembered] = []
    var changes: [(offset: Int, hash: UInt64, sequence: SequenceNumber)] = []
    remembered.reserveCapacity(header.last > result.forgotten ? header.count : 0)
    changes.reserveCapacity(header.last > result.cursor ? header.count : 0)
    for index in 0..<UInt64(header.count) {
      let sequence = SequenceNumber(header.first.value + index)
      let entry = try Entry(from: block, at: offset)
      let hash = ledger.key.hash(entry.account)
      if sequence >= run.next {
        if sequence > result.cursor, lane.has(hash) { changes.append((offset, hash, sequence)) }
        if sequence > result.forgotten, entry.request != .none {
          let fingerprint = ledger.key.fingerprint(entry.request, of: hash)
          if lane.has(fingerprint) { remembered.append((fingerprint, sequence)) }
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
