internal import Glibc
internal import LMDB

/// Applies the journal to the accounts in memory and fills the request window, while a store is being opened.
///
/// It goes by rounds, in lanes that run at once. In a round each lane first reads and verifies blocks of its own,
/// remembers their requests, and notes what they change, by the lane that the accounts belong to. Then each lane brings
/// the accounts of its own into memory that are not there, in the order of their images on disk, and applies to them
/// what was noted, in the order of the journal: its stripes are its own, so that nobody waits for a lock.
struct Replay {
  private let database: Database
  private let ledger: Ledger
  /// Where the journal ends, and what of it is to be applied.
  private let ends: Recovery.Result
  private let lanes: Lanes

  /// The latest time of a block.
  private(set) var latest: Timestamp
  /// Whether many accounts are not in memory: then they are worth being looked for ahead of their changes.
  private var isSparse = true
  /// The number of entries that were applied to accounts.
  private(set) var applied: UInt64 = 0

  /// The number of entries below which one lane is faster than several.
  private static let fewEntries: UInt64 = 65_536
  /// The number of entries that a lane reads in a round: many, so that the images of a round lie close together.
  private static let entriesPerRound: UInt64 = 65_536

  init(_ database: Database, _ ledger: Ledger, _ ends: Recovery.Result) {
    self.database = database
    self.ledger = ledger
    self.ends = ends
    latest = ends.latest
    lanes = ends.next.value - ends.place.value < Replay.fewEntries ? .one : .all
  }

  /// Replays all of the journal that is needed.
  ///
  /// - Parameter flush: Writes the images of all dirty accounts and lets clean ones go; called while nothing is read.
  mutating func run(flush: () throws(StoreError) -> Void) throws(StoreError) {
    var end: Part?
    var next = ends.place
    while next < ends.next {
      let parts = try read(from: next)
      for part in parts {
        guard let first = part.blocks.first?.first else { continue }
        do throws(DecodingError) { try end?.check(first, after: part.previous) } catch {
          throw Replay.corrupt(end?.next ?? first, error.reason)
        }
        end = part
        latest = max(latest, part.latest)
      }
      try apply(parts, flush: flush)
      next = SequenceNumber(next.value + UInt64(lanes.count) * Replay.entriesPerRound)
    }
    guard end?.next == ends.next else { throw Replay.corrupt(end?.next ?? ends.place, "a block is missing") }
  }

  private static func corrupt(_ place: SequenceNumber, _ reason: String) -> StoreError {
    .corrupt(what: "the journal", at: place, reason: reason)
  }

  /// Runs a function in all lanes at once, each with a snapshot of its own.
  private func inLanes<R: Sendable>(
    _ body: @escaping @Sendable (Int, borrowing ReadTransaction) throws(StoreError) -> R
  ) throws(StoreError) -> [R] {
    let outcomes = (0..<lanes.count).map { _ in Locked<Swift.Result<R, StoreError>?>(nil) }
    let database = database
    @Sendable func run(_ lane: Int, _ outcome: Locked<Swift.Result<R, StoreError>?>) {
      let found = Swift.Result { () throws(StoreError) -> R in
        try database.read { (transaction) throws(StoreError) -> R in try body(lane, transaction) }
      }
      outcome.withLock { $0 = found }
    }
    let workers = outcomes.enumerated().dropFirst().map { (lane, outcome) in Worker { run(lane, outcome) } }
    for (lane, worker) in ([nil] + workers).enumerated() where worker == nil {
      // The first lane, and any for which the system has no thread.
      run(lane, outcomes[lane])
    }
    for worker in workers { worker?.join() }
    var results: [R] = []
    for outcome in outcomes { if let result = try outcome.withLock({ $0 })?.get() { results.append(result) } }
    return results
  }
}

// MARK: Lanes

extension Replay {
  /// Shares of all accounts, by the leading bits of their hashes.
  private struct Lanes {
    let bits: UInt64

    static let one = Lanes(bits: 0)

    /// As many lanes as there are processors, at most four.
    static var all: Lanes {
      let processors = sysconf(Int32(_SC_NPROCESSORS_ONLN))
      return Lanes(bits: processors >= 4 ? 2 : processors >= 2 ? 1 : 0)
    }

    var count: Int { 1 << Int(bits) }

    /// The lane that a hash belongs to.
    @inline(__always) func lane(of hash: UInt64) -> Int { bits == 0 ? 0 : Int(hash >> (64 - bits)) }

    /// The stripes of a lane's accounts.
    func stripes(of lane: Int) -> Range<Int> {
      let count = Stripe.count >> Int(bits)
      return lane * count..<(lane + 1) * count
    }
  }
}

// MARK: Reading

extension Replay {
  /// What an entry does to an account, and where it is.
  struct Change {
    let account: AccountID
    let hash: UInt64
    let sequence: SequenceNumber
    /// Where the entry begins in its block.
    let offset: Int
  }

  /// What a lane has read in a round.
  private struct Part {
    /// The first and the last entry of each block.
    var blocks: [(first: SequenceNumber, last: SequenceNumber)] = []
    /// The changes for each lane, in the order of the journal.
    var changes: [[Change]]
    /// The requests that were read and are not remembered yet.
    var requests: [RequestWindow.Remembered] = []
    var latest = Timestamp.zero
    /// The checksum of the block before the first, as that says.
    var previous: UInt64 = 0
    /// The checksum of the last block.
    var checksum: UInt64 = 0

    /// The entry after the last.
    var next: SequenceNumber? { blocks.last.map { SequenceNumber($0.last.value + 1) } }

    /// Throws unless a block follows the last one, if there is one.
    func check(_ first: SequenceNumber, after previous: UInt64) throws(DecodingError) {
      guard let next else { return }
      guard first == next else { throw DecodingError("a block is missing") }
      guard previous == checksum else { throw DecodingError("a block does not follow the one before") }
    }
  }

  /// Reads the blocks of a round: those that begin in a lane's share of the sequence numbers are the lane's.
  private func read(from start: SequenceNumber) throws(StoreError) -> [Part] {
    let (replay, database) = (self, database)
    return try inLanes { (lane, transaction) throws(StoreError) -> Part in
      let first = start.value + UInt64(lane) * Replay.entriesPerRound
      var part = Part(changes: .init(repeating: [], count: replay.lanes.count))
      do {
        var cursor = try transaction.cursor(on: database.journal)
        // The very first entry may lie within a block.
        let isVeryFirst = first == replay.ends.place.value
        var isMore = isVeryFirst ? try cursor.seek(lessOrEqual: first) : try cursor.seek(greaterOrEqual: first)
        if isVeryFirst, !isMore { throw DecodingError("its first block is missing") }
        while isMore, cursor.integerKey < first + Replay.entriesPerRound {
          try replay.read(cursor.value, under: cursor.integerKey, into: &part)
          isMore = try cursor.next()
        }
        replay.ledger.window.restore(&part.requests, isLast: true)
      } catch { throw database.storeError(error, reading: "the journal", at: part.next ?? SequenceNumber(first)) }
      return part
    }
  }

  private func read(_ block: RawSpan, under key: UInt64, into part: inout Part) throws {
    let (header, checksum) = try Block.verify(block)
    guard header.first.value == key else {
      throw DecodingError("a block from \(header.first) is stored under \(key)")
    }
    try part.check(header.first, after: header.previous)
    if part.blocks.isEmpty { part.previous = header.previous }
    let key = ledger.key
    var offset = Block.Header.size
    var sequence = header.first
    while sequence <= header.last {
      let entry = try Entry(from: block, at: offset)
      if sequence >= ends.place {
        let hash = key.hash(entry.account)
        if sequence > ends.cursor {
          part.changes[lanes.lane(of: hash)]
            .append(Change(account: entry.account, hash: hash, sequence: sequence, offset: offset))
        }
        if sequence > ends.forgotten, entry.request != .none {
          part.requests.append((key.fingerprint(entry.request, of: hash), sequence))
        }
      }
      offset &+= Int(entry.words) &* 8
      sequence = SequenceNumber(sequence.value &+ 1)
    }
    guard offset == block.byteCount else { throw DecodingError("a block is longer than its entries") }
    ledger.window.restore(&part.requests, isLast: false)
    part.blocks.append((header.first, header.last))
    part.checksum = checksum
    part.latest = max(part.latest, header.latest)
  }
}

// MARK: Applying

extension Replay {
  /// How far a lane has come in a round.
  private struct Place {
    var part = 0
    var block = 0
    /// The number of changes of the part that were applied.
    var change = 0
  }

  /// Applies what was read in a round, and lets accounts go whenever there are too many.
  private mutating func apply(_ parts: [Part], flush: () throws(StoreError) -> Void) throws(StoreError) {
    let replay = self
    let changes = parts.reduce(0) { $0 + $1.changes.reduce(0) { $0 + $1.count } }
    guard changes > 0 else { return }
    if isSparse {
      let missing = try inLanes { (lane, transaction) throws(StoreError) -> Int in
        try replay.bringIn(parts.map { $0.changes[lane] }, in: transaction)
      }
      isSparse = missing.reduce(0, +) > changes / 8
    }
    var places = Array(repeating: Place(), count: lanes.count)
    while true {
      let before = places
      places = try inLanes { (lane, transaction) throws(StoreError) -> Place in
        try replay.apply(parts, to: lane, from: before[lane], in: transaction)
      }
      if places.allSatisfy({ $0.part == parts.count }) { break }
      try flush()
      isSparse = true
    }
    applied += UInt64(changes)
  }

  /// Brings the accounts of some changes into memory, as far as there is room; answers how many were not there.
  private func bringIn(_ changes: [[Change]], in transaction: borrowing ReadTransaction) throws(StoreError) -> Int {
    let missing = ledger.missing(of: changes)
    for (account, hash) in missing where ledger.hasRoom(for: hash) {
      guard let image = try database.image(of: account, hash: hash, in: transaction) else { continue }
      try ledger.bringIn(image, hash)
    }
    return missing.count
  }

  /// Applies a lane's changes until the end, or until it has too many accounts in memory; answers how far it has come.
  private func apply(
    _ parts: [Part], to lane: Int, from start: Place, in transaction: borrowing ReadTransaction
  ) throws(StoreError) -> Place {
    var place = start
    var reached = ends.place
    let stripes = lanes.stripes(of: lane)
    do {
      var cursor = try transaction.cursor(on: database.journal)
      while place.part < parts.count {
        let part = parts[place.part]
        let changes = part.changes[lane]
        while place.block < part.blocks.count, place.change < changes.count {
          let block = part.blocks[place.block]
          reached = block.first
          var end = place.change
          while end < changes.count, changes[end].sequence <= block.last { end += 1 }
          if end > place.change {
            let isThere = try cursor.seek(greaterOrEqual: block.first.value)
            guard isThere, cursor.integerKey == block.first.value else { throw DecodingError("a block is missing") }
            try ledger.replay(changes[place.change..<end], of: cursor.value)
          }
          place.change = end
          place.block += 1
          if ledger.isOverfull(stripes) { return place }
        }
        place = Place(part: place.part + 1)
      }
    } catch { throw database.storeError(error, reading: "the journal", at: reached) }
    return place
  }
}
