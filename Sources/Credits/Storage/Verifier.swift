internal import LMDB

/// What a verification found.
public struct Verification: Hashable, Sendable {
  /// The entries that were replayed.
  public internal(set) var entries: UInt64 = 0

  /// The blocks whose checksums and chain were checked.
  public internal(set) var blocks: UInt64 = 0

  /// The accounts whose whole history was replayed.
  public internal(set) var accounts: UInt64 = 0

  /// The accounts whose beginning has been trimmed: what is kept of them was checked for continuity.
  public internal(set) var partialAccounts: UInt64 = 0

  /// The images that were compared.
  public internal(set) var images: UInt64 = 0

  /// All credits that ever became usable on the accounts that were replayed, in millionths.
  public internal(set) var grantedMillionths: Int128 = 0

  /// All credits that were spent on them, in millionths.
  public internal(set) var spentMillionths: Int128 = 0

  /// All credits that expired on them, in millionths.
  public internal(set) var expiredMillionths: Int128 = 0

  /// All credits that they have left, in millionths.
  public internal(set) var availableMillionths: Int128 = 0

  /// The first thing that is wrong; nil if everything agrees.
  public internal(set) var problem: Problem?

  /// Something that is wrong.
  public struct Problem: Hashable, Sendable, CustomStringConvertible {
    /// The entry at which it shows; 0 for none.
    public let sequence: SequenceNumber

    /// The account concerned, if any.
    public let account: AccountID?

    /// What is wrong, in words.
    public let reason: String

    /// All of it in a sentence.
    public var description: String {
      let place = sequence == .none ? "" : "entry \(sequence), "
      return place + (account.map { "account \($0): " } ?? "") + reason
    }
  }
}

/// Replays the journal in one snapshot and compares it with everything that is stored.
///
/// Accounts are taken in several passes where they are too many for memory at once.
struct Verifier {
  let database: Database
  let key: HashKey
  /// The most accounts in memory at once.
  var accountsPerPass = 2_000_000

  /// An account on its way through the journal.
  private struct Replayed {
    /// The state; while the account's beginning is trimmed away and its image lies ahead, only what the last entry
    /// says.
    var account: Account?
    var last: SequenceNumber
    var available: Amount?
    /// The last entry that the checkpoint promises to be in the image.
    var covered = SequenceNumber.none
    let isPartial: Bool
    let image: Account?
  }

  private struct Finding: Error { let problem: Verification.Problem }

  func run(progress: (Double) -> Void) throws(StoreError) -> Verification {
    try database.read { (transaction) throws(StoreError) -> Verification in
      var report = Verification()
      do {
        try verify(in: transaction, &report, progress)
      } catch let error as Finding {
        report.problem = error.problem
      } catch { throw database.storeError(error) }
      return report
    }
  }

  private func verify(
    in transaction: borrowing ReadTransaction, _ report: inout Verification, _ progress: (Double) -> Void
  ) throws {
    let trim = try Meta.trim(in: transaction, database)
    let checkpoint = try Meta.checkpoint(in: transaction, database)
    let journal = try transaction.statistics(of: database.journal)
    let images = try transaction.statistics(of: database.accounts).entries
    let passes = max(1, (images + accountsPerPass - 1) / accountsPerPass)
    let total = Double(max(1, passes * journal.entries + images))
    var done = 0.0
    for pass in 0..<passes {
      var accounts: [AccountID: Replayed] = [:]
      var expected = trim.first
      var checksum: UInt64?
      var cursor = try transaction.cursor(on: database.journal)
      var isMore = try cursor.first()
      while isMore {
        let header = try check(cursor.value, storedUnder: cursor.integerKey, expected, checksum)
        expected = SequenceNumber(header.header.last.value + 1)
        checksum = header.checksum
        try replay(cursor.value, header.header, trim, checkpoint, pass: pass, of: passes, &accounts, in: transaction)
        if pass == 0 {
          report.blocks += 1
          report.entries += UInt64(header.header.count)
        }
        isMore = try cursor.next()
        done += 1
        if Int(done) % 64 == 0 { progress(done / total) }
      }
      if checkpoint.cursor >= expected {
        throw finding(
          .none, nil, "the images include all up to \(checkpoint.cursor), the journal ends before \(expected)")
      }
      for (id, replayed) in accounts.sorted(by: { $0.value.last < $1.value.last }) { try finish(id, replayed, &report) }
    }
    try checkImages(in: transaction, trim, &report) {
      done += 1
      if Int(done) % 4_096 == 0 { progress(done / total) }
    }
    progress(1)
  }

  private func check(
    _ block: RawSpan, storedUnder key: UInt64, _ expected: SequenceNumber, _ checksum: UInt64?
  ) throws -> (header: Block.Header, checksum: UInt64) {
    let sealed: (header: Block.Header, checksum: UInt64)
    do throws(DecodingError) { sealed = try Block.verify(block) } catch {
      throw finding(SequenceNumber(key), nil, error.reason)
    }
    guard sealed.header.first.value == key, sealed.header.first == expected else {
      throw finding(expected, nil, "a block is missing: the next one begins at \(key)")
    }
    guard checksum == nil || sealed.header.previous == checksum else {
      throw finding(expected, nil, "a block does not follow the one before it")
    }
    return sealed
  }

  private func replay(
    _ block: RawSpan, _ header: Block.Header, _ trim: Meta.Trim, _ checkpoint: Meta.Checkpoint,
    pass: Int, of passes: Int,
    _ accounts: inout [AccountID: Replayed], in transaction: borrowing ReadTransaction
  ) throws {
    var offset = Block.Header.size
    for index in 0..<UInt64(header.count) {
      let sequence = SequenceNumber(header.first.value + index)
      let record: Record
      do throws(DecodingError) { record = try Record(from: block, at: offset) } catch {
        throw finding(sequence, nil, error.reason)
      }
      offset += record.size
      let id = record.entry.account
      guard passes == 1 || Int(key.hash(id) % UInt64(passes)) == pass else { continue }
      if accounts[id] == nil { accounts[id] = try begin(record, at: sequence, trim, in: transaction) }
      if sequence <= checkpoint.cursor { accounts[id]?.covered = sequence }
      try apply(record, at: sequence, to: &accounts[id])
    }
    guard offset == block.byteCount else { throw finding(header.first, nil, "a block is longer than its entries") }
  }

  private func begin(
    _ record: borrowing Record, at sequence: SequenceNumber, _ trim: Meta.Trim,
    in transaction: borrowing ReadTransaction
  ) throws -> Replayed {
    let id = record.entry.account
    let previous = record.entry.previous
    guard previous < trim.first else {
      throw finding(sequence, id, "the account's first entry follows entry \(previous), which is of another account")
    }
    let image = try self.image(of: id, in: transaction)
    let isPartial = previous != .none
    // Where the image is as of the last entry that was trimmed, the whole state is known from the start.
    let known = isPartial ? image.flatMap { $0.last == previous ? $0 : nil } : Account(id)
    return Replayed(account: known, last: previous, available: known?.available, isPartial: isPartial, image: image)
  }

  private func apply(_ record: borrowing Record, at sequence: SequenceNumber, to slot: inout Replayed?) throws {
    guard var replayed = slot else { return }
    let id = record.entry.account
    let entry = JournalEntry(record, at: sequence)
    guard entry.previous == replayed.last else {
      throw finding(sequence, id, "the entry follows entry \(entry.previous), the account is at \(replayed.last)")
    }
    if replayed.account != nil {
      do throws(Inconsistency) { try replayed.account?.apply(record, at: sequence) } catch {
        throw finding(sequence, id, error.reason)
      }
    } else if let before = replayed.available, before != entry.availableBefore {
      throw finding(
        sequence, id, "the entry begins at \(entry.availableBefore) available, the one before ended at \(before)")
    }
    replayed.last = sequence
    replayed.available = entry.available
    if let image = replayed.image, image.last == sequence {
      guard replayed.account == nil ? image.available == entry.available : image == replayed.account else {
        throw finding(sequence, id, "the image differs from what the journal makes of the account")
      }
      // From here on, the whole state is known.
      replayed.account = image
    }
    slot = replayed
  }

  private func finish(_ id: AccountID, _ replayed: Replayed, _ report: inout Verification) throws {
    if replayed.covered != .none, (replayed.image?.last ?? SequenceNumber.none) < replayed.covered {
      throw finding(
        replayed.covered, id, "the checkpoint says that the account's image includes this entry, and it does not")
    }
    guard let state = replayed.account, state.last == replayed.last else {
      throw finding(replayed.last, id, "the account's image includes entries that the journal does not have")
    }
    if let image = replayed.image, image.last > replayed.last {
      throw finding(image.last, id, "the image includes entry \(image.last), the account ends at \(replayed.last)")
    }
    if replayed.isPartial { report.partialAccounts += 1 } else { report.accounts += 1 }
    add(state, to: &report)
  }

  private func add(_ account: Account, to report: inout Verification) {
    report.grantedMillionths += Int128(account.granted.millionths)
    report.spentMillionths += Int128(account.spent.millionths)
    report.expiredMillionths += Int128(account.expired.millionths)
    report.availableMillionths += Int128(account.available.millionths + account.held.millionths)
  }

  /// Reads every image, and looks for its rows in the tables of due times and of open charges.
  private func checkImages(
    in transaction: borrowing ReadTransaction, _ trim: Meta.Trim,
    _ report: inout Verification, _ step: () -> Void
  ) throws {
    var cursor = try transaction.cursor(on: database.accounts)
    var isMore = try cursor.first()
    var charges = 0
    while isMore {
      let image: Image
      do throws(DecodingError) { image = try Image(from: cursor.value) } catch {
        let owner =
          cursor.key.byteCount == 24 ? AccountID(high: cursor.key.keyWord(1), low: cursor.key.keyWord(2)) : nil
        throw finding(.none, owner, error.reason)
      }
      let id = image.account.id
      guard cursor.key.byteCount == 24, cursor.key.keyWord(0) == key.hash(id), cursor.key.keyWord(1) == id.high,
        cursor.key.keyWord(2) == id.low
      else { throw finding(.none, id, "the image is stored under another account's key") }
      guard image.due == image.account.tripTime else { throw finding(.none, id, "the image's due time is wrong") }
      if image.due != .never {
        let row = Key.due(image.due, id, hash: key.hash(id))
        guard try transaction.get(row.bytes, from: database.due) != nil else {
          throw finding(.none, id, "the account has no row among the due times")
        }
      }
      if image.account.hasCharges {
        charges += 1
        guard try transaction.get(Key.account(id).bytes, from: database.charges) != nil else {
          throw finding(.none, id, "the account has open charges and no row among those that have")
        }
      }
      if image.account.last < trim.first {
        report.partialAccounts += 1
        add(image.account, to: &report)
      }
      report.images += 1
      isMore = try cursor.next()
      step()
    }
    let rows = try transaction.statistics(of: database.charges).entries
    guard rows == charges else {
      throw finding(.none, nil, "\(rows) accounts are noted to have open charges, and \(charges) have")
    }
  }

  private func image(of account: AccountID, in transaction: borrowing ReadTransaction) throws -> Account? {
    do throws(StoreError) {
      return try database.image(of: account, hash: key.hash(account), in: transaction)?.account
    } catch { throw finding(.none, account, error.description) }
  }

  private func finding(_ sequence: SequenceNumber, _ account: AccountID?, _ reason: String) -> Finding {
    Finding(problem: Verification.Problem(sequence: sequence, account: account, reason: reason))
  }
}
