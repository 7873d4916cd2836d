internal import LMDB

/// Reads entries of the journal, for replays, history and explanations.
struct JournalView: Sendable {
  let database: Database
  /// The price books by which entries are explained.
  let prices: @Sendable () -> PriceTable

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
    } catch { throw database.storeError(error, reading: "the journal", at: sequence) }
    throw .outsideRetention(before: try Meta.trim(in: transaction, database).first)
  }

  /// Calls a function with the entries of an account, latest first, until it answers false.
  ///
  /// Throws `outsideRetention` on coming to an entry that has been trimmed.
  func walk(
    from last: SequenceNumber, _ body: (JournalEntry) throws(StoreError) -> Bool
  ) throws(StoreError) {
    let table = prices()
    var next = last
    var account: AccountID?
    while next != .none {
      let sequence = next
      let record = try self.record(sequence)
      next = record.entry.previous
      guard next < sequence, account == nil || record.entry.account == account else {
        throw .corrupt(what: "the journal", at: sequence, reason: "it does not follow an earlier entry of its account")
      }
      account = record.entry.account
      if try !body(JournalEntry(record, at: sequence, table)) { return }
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
    var followers: [JournalEntry] = []
    var corrections: [SequenceNumber: JournalEntry] = [:]
    try walk(from: last) { (entry) throws(StoreError) -> Bool in
      if entry.request == request { found = entry }
      if entry.request == request.endOfHold || entry.request == request.excessOfHold { followers.append(entry) }
      if let debit = entry.corrects, entry.kind == .granted { corrections[debit] = entry }
      return found == nil
    }
    guard let found else { return nil }
    let debits = [found.sequence] + followers.map(\.sequence)
    return Explanation(
      entry: found, price: try price(of: found), grants: try grants(of: found), followers: followers.reversed(),
      capturePrice: try price(of: followers.last),
      correction: debits.lazy.compactMap { corrections[$0] }.first, corrected: try corrected(by: found))
  }

  private func price(of entry: JournalEntry?) throws(StoreError) -> PriceBreakdown? {
    guard let entry, entry.priceVersion != nil else { return nil }
    let record = try record(entry.sequence)
    return prices().breakdown(row: record.entry.price, counts: Counts(record))
  }

  private func corrected(by entry: JournalEntry) throws(StoreError) -> JournalEntry? {
    guard let debit = entry.corrects else { return nil }
    do throws(StoreError) { return JournalEntry(try record(debit), at: debit, prices()) } catch {
      guard case .outsideRetention = error else { throw error }
      return nil
    }
  }

  /// The entries that gave the grants which an entry drew on, in the order of use; those outside retention are missing.
  private func grants(of found: JournalEntry) throws(StoreError) -> [JournalEntry] {
    var missing = Set(found.parts.map(\.grant))
    var grants: [UInt32: JournalEntry] = [:]
    guard found.kind == .debited || found.kind == .held || found.kind == .captured, !missing.isEmpty else { return [] }
    do throws(StoreError) {
      try walk(from: found.previous) { (entry) throws(StoreError) -> Bool in
        switch entry.kind {
        case .granted, .credited, .subscribed, .renewed:
          if let number = entry.parts.first?.grant, missing.remove(number) != nil { grants[number] = entry }
        default: break
        }
        return !missing.isEmpty
      }
    } catch { guard case .outsideRetention = error else { throw error } }
    return found.parts.compactMap { grants[$0.grant] }
  }

  /// Calls a function with every entry of the journal from a sequence number on, in order, in one snapshot.
  ///
  /// The function answers whether to go on. Blocks' checksums are verified, and that none is missing.
  func forEach(
    from first: SequenceNumber, _ body: (JournalEntry) throws(StoreError) -> Bool
  ) throws(StoreError) {
    try forEach(of: nil, from: first) { (entry, _) throws(StoreError) -> Bool in
      guard let entry else { return true }
      return try body(entry)
    }
  }

  /// Calls a function with the sequence number of every entry from one on, and with the entry itself if it is of
  /// certain kinds.
  func forEach(
    of kinds: Set<JournalEntry.Kind>?, from first: SequenceNumber,
    _ body: (JournalEntry?, SequenceNumber) throws(StoreError) -> Bool
  ) throws(StoreError) {
    var wanted: UInt64 = 0
    for kind in JournalEntry.Kind.all.enumerated() where kinds?.contains(kind.element) ?? true {
      wanted |= 1 << UInt64(kind.offset + 1)
    }
    let table = prices()
    try database.read { (transaction) throws(StoreError) in
      var place = first
      var expected: SequenceNumber?
      do {
        var cursor = try transaction.cursor(on: database.journal)
        var isMore = try cursor.seek(lessOrEqual: first.value)
        if !isMore { isMore = try cursor.first() }
        while isMore {
          let (header, _) = try Block.verify(cursor.value)
          place = expected ?? header.first
          guard header.first == place else { throw DecodingError("a block is missing before \(header.first)") }
          expected = SequenceNumber(header.last.value + 1)
          var offset = Block.Header.size
          for index in 0..<UInt64(header.count) {
            let head = try Entry(from: cursor.value, at: offset)
            let sequence = SequenceNumber(header.first.value + index)
            if sequence >= first {
              var entry: JournalEntry?
              if wanted >> UInt64(head.kind.rawValue) & 1 == 1 {
                entry = JournalEntry(try Record(from: cursor.value, at: offset), at: sequence, table)
              }
              if try !body(entry, sequence) { return }
            }
            offset += Int(head.words) * 8
          }
          isMore = try cursor.next()
        }
      } catch { throw database.storeError(error, reading: "the journal", at: place) }
    }
  }

  /// The text an account was opened with.
  func label(of account: AccountID) throws(StoreError) -> String? {
    try database.read { (transaction) throws(StoreError) -> String? in
      let key = Key.account(account)
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
