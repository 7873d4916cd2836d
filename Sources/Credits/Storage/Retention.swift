internal import LMDB

/// What a trim of the journal deleted.
public struct Trimmed: Hashable, Sendable {
  /// The number of entries that were deleted.
  public let entries: UInt64

  /// The first entry that is kept.
  public let firstKept: SequenceNumber
}

/// Decides which blocks of the journal go with a commit.
///
/// Blocks go from the oldest on, in long runs, so that the pages they free lie together. A block stays while the
/// request window, the checkpoint or a consumer of events needs it. The last block always stays: the chain goes on from
/// it.
struct Retention {
  /// Blocks to delete in one commit, and what is kept afterwards.
  struct Plan {
    let blocks: [SequenceNumber]
    let mark: Meta.Trim
  }

  /// The most blocks that go with one commit, and the fewest that are worth it without a request.
  private static let most = 512
  private static let fewest = 64

  private var first: SequenceNumber
  private var total: UInt64 = 0
  private var nextLook = Timestamp.zero
  /// A look found nothing before this entry: only when the cursor and the window pass it, or time, is another one worth
  /// it.
  private var pause = 0

  init(first: SequenceNumber) { self.first = first }

  func isDue(at now: Timestamp) -> Bool { now >= nextLook }

  mutating func done(_ plan: Plan) {
    total += plan.mark.first.value - first.value
    first = plan.mark.first
  }

  mutating func takeTotal() -> Trimmed {
    defer { total = 0 }
    return Trimmed(entries: total, firstKept: first)
  }

  /// The next blocks to delete; nil if none may go, or too few to be worth it.
  mutating func plan(
    in database: Database, cursor: SequenceNumber, forgotten: SequenceNumber, settings: Settings, now: Timestamp,
    requested: Timestamp?
  ) throws(StoreError) -> Plan? {
    var before = requested
    if case .age(let age) = settings.retention { before = max(before ?? .zero, now - age) }
    guard let before, before > .zero else { return nil }
    let needed = min(cursor, forgotten)
    guard requested != nil || needed.value > first.value + 4_096 else { return nil }
    if requested == nil {
      pause -= 1
      guard pause <= 0 || now >= nextLook else { return nil }
    }
    let found = try database.read { (transaction) throws(StoreError) -> Plan? in
      try Retention.blocks(in: transaction, database, before: before, needed: needed)
    }
    guard let found, requested != nil || found.blocks.count >= Retention.fewest else {
      pause = 16
      nextLook = now + .seconds(1)
      return nil
    }
    return found
  }

  private static func blocks(
    in transaction: borrowing ReadTransaction, _ database: Database, before: Timestamp, needed: SequenceNumber
  ) throws(StoreError) -> Plan? {
    var blocks: [SequenceNumber] = []
    var mark: Meta.Trim?
    do throws(LMDBError) {
      var cursor = try transaction.cursor(on: database.journal)
      guard try cursor.first() else { return nil }
      while blocks.count < most {
        // What is deleted must be what lies here, whatever a damaged header says: verifying will tell of it.
        guard let header = try? Block.header(of: cursor.value).header, header.first.value == cursor.integerKey,
          header.last <= needed, header.latest < before, try cursor.next(),
          cursor.integerKey == header.last.value + 1
        else { break }
        blocks.append(header.first)
        mark = Meta.Trim(first: SequenceNumber(header.last.value + 1), time: header.latest)
      }
    } catch { throw database.storeError(error) }
    return mark.map { Plan(blocks: blocks, mark: $0) }
  }
}
