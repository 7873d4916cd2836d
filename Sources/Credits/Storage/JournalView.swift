internal import LMDB

/// Reads entries of the journal, for replays, history and explanations.
struct JournalView: Sendable {
  let database: Database

  /// Reads the record of a sequence number; throws `outsideRetention` where it has been trimmed.
  func record(_ sequence: SequenceNumber) throws(StoreError) -> Record {
    try database.read { (transaction) throws(StoreError) -> Record in try record(sequence, in: transaction) }
  }

  private func record(_ sequence: SequenceNumber, in transaction: borrowing ReadTransaction) throws(StoreError)
    -> Record
  {
    do {
      var cursor = try transaction.cursor(on: database.journal)
      if try cursor.seek(lessOrEqual: sequence.value) {
        // A few microseconds for the checksum: an answer is never read from a damaged block.
        _ = try Block.verify(cursor.value)
        return try Block.record(sequence, in: cursor.value)
      }
    } catch let error as DecodingError {
      throw .corrupt(what: "the journal", at: sequence, reason: error.reason)
    } catch let error as LMDBError {
      throw database.storeError(error)
    } catch { throw .inputOutput(path: database.path, reason: "\(error)") }
    throw .outsideRetention(before: try Meta.trim(in: transaction, database).first)
  }

  /// Calls a function with the entries of an account, latest first, until it answers false.
  ///
  /// Throws `outsideRetention` on coming to an entry that has been trimmed.
  func walk(
    from last: SequenceNumber, _ body: (JournalEntry) throws(StoreError) -> Bool
  ) throws(StoreError) {
    var next = last
    while next != .none {
      let sequence = next
      let record = try self.record(sequence)
      next = record.entry.previous
      if try !body(JournalEntry(record, at: sequence)) { return }
    }
  }

  /// The latest entries of an account, latest first.
  func history(from last: SequenceNumber, limit: Int) throws(StoreError) -> History {
    var entries: [JournalEntry] = []
    guard limit > 0 else { return History(entries: [], end: last == .none ? .complete : .limit) }
    do throws(StoreError) {
      try walk(from: last) { (entry) throws(StoreError) -> Bool in
        entries.append(entry)
        return entries.count < limit
      }
    } catch {
      guard case .outsideRetention = error else { throw error }
      return History(entries: entries, end: .outsideRetention)
    }
    return History(
      entries: entries, end: (entries.last?.previous ?? SequenceNumber.none) == SequenceNumber.none ? .complete : .limit
    )
  }

  /// Everything about one request of an account; nil if the account has none such.
  func explain(_ request: RequestID, from last: SequenceNumber) throws(StoreError) -> Explanation? {
    var found: JournalEntry?
    try walk(from: last) { (entry) throws(StoreError) -> Bool in
      if entry.request == request { found = entry }
      return found == nil
    }
    guard let found else { return nil }
    var missing = Set(found.parts.map(\.grant))
    var grants: [UInt32: JournalEntry] = [:]
    if found.kind != .granted, !missing.isEmpty {
      do throws(StoreError) {
        try walk(from: found.previous) { (entry) throws(StoreError) -> Bool in
          if entry.kind == .granted, let number = entry.parts.first?.grant, missing.remove(number) != nil {
            grants[number] = entry
          }
          return !missing.isEmpty
        }
      } catch { guard case .outsideRetention = error else { throw error } }
    }
    return Explanation(entry: found, grants: found.parts.compactMap { grants[$0.grant] })
  }

  /// Calls a function with every entry of the journal from a sequence number on, in order, in one snapshot.
  ///
  /// The function answers whether to go on. Blocks' checksums are verified.
  func forEach(
    from first: SequenceNumber, _ body: (JournalEntry) throws(StoreError) -> Bool
  ) throws(StoreError) {
    try database.read { (transaction) throws(StoreError) in
      var place = first
      do {
        var cursor = try transaction.cursor(on: database.journal)
        var isMore = try cursor.seek(lessOrEqual: first.value)
        if !isMore { isMore = try cursor.first() }
        while isMore {
          let (header, _) = try Block.verify(cursor.value)
          place = header.first
          var offset = Block.Header.size
          for index in 0..<UInt64(header.count) {
            let record = try Record(from: cursor.value, at: offset)
            let sequence = SequenceNumber(header.first.value + index)
            if sequence >= first, try !body(JournalEntry(record, at: sequence)) { return }
            offset += record.size
          }
          isMore = try cursor.next()
        }
      } catch let error as DecodingError {
        throw .corrupt(what: "the journal", at: place, reason: error.reason)
      } catch let error as LMDBError {
        throw database.storeError(error)
      } catch let error as StoreError {
        throw error
      } catch { throw .inputOutput(path: database.path, reason: "\(error)") }
    }
  }

  /// The text an account was opened with.
  func label(of account: AccountID) throws(StoreError) -> String? {
    try database.read { (transaction) throws(StoreError) -> String? in
      let key = Key.label(account)
      do throws(LMDBError) {
        guard let bytes = try transaction.get(key.bytes, from: database.labels) else { return nil }
        return unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
      } catch { throw database.storeError(error) }
    }
  }
}

/// Entries of an account, latest first, and why there are no more of them.
public struct History: Hashable, Sendable {
  /// Why a history ends where it does.
  public enum End: String, Hashable, Sendable {
    /// It is the account's whole history.
    case complete
    /// It has as many entries as were asked for.
    case limit
    /// What comes before has been trimmed from the journal.
    case outsideRetention = "outside-retention"
  }

  /// The entries, latest first.
  public let entries: [JournalEntry]

  /// Why there are no more.
  public let end: End
}
