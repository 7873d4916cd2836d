internal import LMDB

/// The published price books and the catalogue: in memory, and durable beside the journal.
final class Prices: Sendable {
  private struct State {
    var table = PriceTable()
    var catalogue = Catalogue.standard
    /// The table with the books that are on their way to the disk.
    var coming = PriceTable()
  }

  private let database: Database
  private let state: Locked<State>

  init(_ database: Database) throws(StoreError) {
    self.database = database
    state = Locked(State())
    try refresh()
  }

  /// The durable price books.
  var table: PriceTable { state.withLock { $0.table } }

  /// The catalogue.
  var catalogue: Catalogue { state.withLock { $0.catalogue } }

  /// Prices a usage: by a row of the table, or not at all, with the reason.
  func tariff(_ usage: Usage, at now: Timestamp) -> (Amount, Tariff) {
    let table = table
    return Prices.tariff(usage, by: Prices.price(usage, at: now, in: table), in: table)
  }

  /// The price of a usage; one that no entry has room for is of no feature that there can be.
  static func price(_ usage: Usage, at now: Timestamp, in table: PriceTable) -> Pricing {
    usage.isValid ? table.price(usage, at: now) : .refused(.unknownFeature)
  }

  static func tariff(_ usage: Usage, by price: Pricing, in table: PriceTable) -> (Amount, Tariff) {
    switch price {
    case .priced(let quote): (quote.amount, Tariff(row: quote.row, counts: quote.counts))
    case .refused(let reason): (0, Tariff(refusal: Entry.DenialCode(reason), names: usage.items))
    }
  }

  /// Whether a quote says what a book of this store says.
  func knows(_ quote: Quote) -> Bool {
    let table = table
    return table.version(ofRow: quote.row) == quote.version
      && table.amount(row: quote.row, counts: quote.counts) == quote.amount
  }

  /// The price of a quote, while it is good; afterwards only if there is no newer book.
  func tariff(_ quote: Quote, at now: Timestamp) -> (Amount, Tariff) {
    let isChanged = now >= quote.expires && table.version(at: now) != quote.version
    return (quote.amount, Tariff(row: quote.row, counts: quote.counts, refusal: isChanged ? .priceChanged : nil))
  }

  // MARK: Publishing

  /// Makes a book the next version, once it is durable.
  func publish(_ book: PriceBook, _ queue: FrameQueue) async throws(StoreError) -> UInt32 {
    let (table, frame) = try state.withLock { (state) throws(StoreError) -> (PriceTable, UInt64) in
      do throws(PricingError) { state.coming = try state.coming.appending(book) } catch {
        throw .invalidArgument("the price book is refused: \(error)")
      }
      return (state.coming, try queue.add([Prices.row(state.coming.versionCount, book.json)]))
    }
    try await queue.waitUntilDurable(frame: frame)
    // Commits come in order, so all books before this one are durable, too.
    state.withLock { if $0.table.versionCount < table.versionCount { $0.table = table } }
    return table.versionCount
  }

  /// Replaces the catalogue, once the new one is durable.
  func set(_ catalogue: Catalogue, _ queue: FrameQueue) async throws(StoreError) {
    try await queue.write([Prices.row(0, catalogue.json)])
    state.withLock { $0.catalogue = catalogue }
  }

  private static func row(_ version: UInt32, _ json: String) -> SideWrite {
    var key = ByteList()
    key.add(version.bigEndian)
    var value = ByteList()
    value.add(Checksum.of(Array(json.utf8).span.rawBytes))
    return .put(value.bytes + Array(json.utf8), for: key.bytes, in: .prices)
  }

  /// Reads what another process may have published.
  func refresh() throws(StoreError) {
    let rows = try database.read { (transaction) throws(StoreError) -> [(version: UInt32, json: [UInt8])] in
      let known = table.versionCount
      var rows: [(version: UInt32, json: [UInt8])] = []
      var damaged: UInt32?
      var isForeign = false
      do throws(LMDBError) {
        var cursor = try transaction.cursor(on: database.prices)
        var isMore = try cursor.first()
        while isMore {
          var key = ByteReader(cursor.key)
          guard key.remaining == 4, let version = (try? key.read(UInt32.self))?.byteSwapped else {
            isForeign = true
            break
          }
          if version == 0 || version > known {
            let text = unsafe cursor.value.withUnsafeBytes { unsafe Array($0.dropFirst(8)) }
            var reader = ByteReader(cursor.value)
            if (try? reader.read(UInt64.self)) != Checksum.of(text.span.rawBytes) { damaged = version }
            rows.append((version, text))
          }
          isMore = try cursor.next()
        }
      } catch { throw database.storeError(error) }
      if isForeign {
        throw .corrupt(what: "the table of prices", at: .none, reason: "a row has another key than a version")
      }
      if let damaged { throw Prices.corrupt(damaged, "its checksum does not match") }
      return rows
    }
    try state.withLock { (state) throws(StoreError) in
      for row in rows where row.version == 0 || row.version > state.table.versionCount {
        do throws(PricingError) {
          if row.version == 0 {
            state.catalogue = try Catalogue(json: row.json)
          } else if row.version > state.table.versionCount + 1 {
            throw PricingError(at: "", "the versions before it are missing")
          } else {
            state.table = try state.table.appending(PriceBook(json: row.json))
          }
        } catch { throw Prices.corrupt(row.version, error.description) }
      }
      if state.coming.versionCount < state.table.versionCount { state.coming = state.table }
    }
  }

  private static func corrupt(_ version: UInt32, _ reason: String) -> StoreError {
    .corrupt(what: version == 0 ? "the catalogue" : "price book \(version)", at: .none, reason: reason)
  }
}

extension Entry.DenialCode {
  init(_ refusal: PriceRefusal) {
    switch refusal {
    case .noBook, .outOfRange: self = .noPrice
    case .unknownFeature: self = .unknownFeature
    case .unknownModel: self = .unknownModel
    case .unknownTier: self = .unknownTier
    case .unknownUnit: self = .unknownUnit
    }
  }
}
