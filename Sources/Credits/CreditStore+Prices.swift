/// Prices: the book that turns usage into credits, quotes, and debits by usage.
extension CreditStore {
  /// Publishes a price book as the next version, which holds from its `validFrom` on, at once where it names none.
  ///
  /// Older versions stay in the store, so that every price ever charged can be explained.
  ///
  /// - Returns: The version's number, from 1 upwards.
  /// - Throws: `invalidArgument` with the place and the reason if the book is not in order; store failures.
  @discardableResult
  public func publish(_ book: PriceBook) async throws(StoreError) -> UInt32 {
    try engine.checkOpen()
    return try await engine.prices.publish(book, engine.queue)
  }

  /// All published price books, version 1 first.
  public var priceBooks: [PriceBook] { engine.prices.table.books }

  /// What usage costs now: a quote that stays good for the time that the book sets.
  ///
  /// - Throws: `denied` with the reason `noPrice`, `unknownFeature`, `unknownModel`, `unknownTier` or `unknownUnit`, of
  ///   which nothing is recorded; `clockJumped`.
  public func quote(for usage: Usage) throws(StoreError) -> Quote {
    let now = try engine.keeper.now()
    switch Prices.price(usage, at: now, in: engine.prices.table) {
    case .priced(let quote): return quote
    case .refused(let refusal):
      throw .denied(
        Denial(reason: Denial.Reason(refusal), sequence: nil, time: now, isReplay: false))
    }
  }

  /// How the price of a quote comes about; nil if the quote is of another store.
  public func breakdown(of quote: Quote) -> PriceBreakdown? {
    engine.prices.table.breakdown(row: quote.row, counts: quote.counts)
  }

  /// Takes what usage costs by the price book that is valid now; what costs nothing is recorded as free.
  ///
  /// The entry keeps version, feature, model, tier and units, so that ``explain(_:of:)`` shows the arithmetic. A
  /// request that is repeated after a new book was published gets its first outcome, at the first price.
  ///
  /// - Returns: The receipt, or the denial: of usage without a price, too, which is recorded and never free.
  /// - Throws: `overloaded`, `clockJumped`, or the failure that stopped the store.
  public func debit(
    for usage: Usage, from account: AccountID, request: RequestID, acknowledge: Acknowledgement = .durable
  ) async throws(StoreError) -> Outcome {
    let (amount, tariff) = engine.prices.tariff(usage, at: try engine.keeper.now())
    return try await debit(amount, tariff, account, request, acknowledge)
  }

  /// Takes what a quote says, while it is good; once it has expired, only if prices have not changed since.
  ///
  /// - Throws: `invalidArgument` for a quote of another store, and as for a debit by usage.
  public func debit(
    _ quote: Quote, from account: AccountID, request: RequestID, acknowledge: Acknowledgement = .durable
  ) async throws(StoreError) -> Outcome {
    guard engine.prices.knows(quote) else {
      throw .invalidArgument("the quote is of another store; get one from this store")
    }
    let (amount, tariff) = engine.prices.tariff(quote, at: try engine.keeper.now())
    return try await debit(amount, tariff, account, request, acknowledge)
  }

  private func debit(
    _ amount: Amount, _ tariff: Tariff, _ account: AccountID, _ request: RequestID, _ acknowledge: Acknowledgement
  ) async throws(StoreError) -> Outcome {
    if let debit = Debit(amount, tariff, from: account, request: request) {
      return try await self.debit(debit, acknowledge: acknowledge)
    }
    return Outcome(try await engine.answer(.debit(amount, .whole, tariff), account, request, acknowledge))
  }

  /// Takes what many usages cost: one suspension, one commit or a few, outcomes in the order of the usages.
  public func debit(
    for usages: [UsageDebit], acknowledge: Acknowledgement = .durable
  ) async throws(StoreError) -> [Outcome] {
    var outcomes: [Outcome] = []
    var run: [Debit] = []
    outcomes.reserveCapacity(usages.count)
    run.reserveCapacity(usages.count)
    let table = engine.prices.table
    let now = try engine.keeper.now()
    for item in usages {
      let price = Prices.price(item.usage, at: now, in: table)
      let (amount, tariff) = Prices.tariff(item.usage, by: price, in: table)
      if let debit = Debit(amount, tariff, from: item.account, request: item.request) {
        run.append(debit)
        continue
      }
      // What is not a plain debit goes by itself, in its place.
      outcomes += try await debit(run, acknowledge: .applied)
      run.removeAll(keepingCapacity: true)
      let command = Command.debit(amount, .whole, tariff)
      outcomes.append(Outcome(try await engine.answer(command, item.account, item.request, .applied)))
    }
    outcomes += try await debit(run, acknowledge: .applied)
    if acknowledge == .durable, let last = outcomes.compactMap(\.sequence).max() {
      try await engine.queue.waitUntilDurable(last)
    }
    return outcomes
  }

  /// Whether an account could pay for usage now: a gate for features, not a promise.
  ///
  /// Fails closed: false for usage without a price, for an unknown, frozen or closed account, and if the store has
  /// stopped. What costs nothing needs no credits.
  public func canAfford(_ usage: Usage, _ account: AccountID) -> Bool {
    guard case .priced(let quote) = Prices.price(usage, at: engine.keeper.approximate, in: engine.prices.table) else {
      return false
    }
    if quote.amount > 0 { return canAfford(quote.amount, account) }
    return engine.isRunning && (try? engine.state(of: account))?.status == .open
  }

  /// What is for sale.
  public var catalogue: Catalogue { engine.prices.catalogue }

  /// Replaces what is for sale; terms of auto-refill that customers agreed to stay as they are.
  public func setCatalogue(_ catalogue: Catalogue) async throws(StoreError) {
    try engine.checkOpen()
    try await engine.prices.set(catalogue, engine.queue)
  }
}

/// One debit of a batch, by usage.
public struct UsageDebit: Hashable, Sendable {
  /// What was used.
  public let usage: Usage

  /// The account to take credits from.
  public let account: AccountID

  /// The caller's idempotency key.
  public let request: RequestID

  /// Describes a debit by usage.
  public init(_ usage: Usage, from account: AccountID, request: RequestID) {
    self.usage = usage
    self.account = account
    self.request = request
  }
}

extension Debit {
  /// A priced debit, if it fits into one: it has a price, and counts of at most two kinds of units, below 2^32.
  init?(_ amount: Amount, _ tariff: Tariff, from account: AccountID, request: RequestID) {
    guard tariff.refusal == nil, let units = UInt32(exactly: tariff.counts[0]),
      let further = UInt32(exactly: tariff.counts[1]), tariff.counts[2] == 0, tariff.counts[3] == 0
    else { return nil }
    self.init(
      amount, from: account, request: request, extent: .whole, price: tariff.row, units: units, furtherUnits: further)
  }
}

extension Denial.Reason {
  init(_ refusal: PriceRefusal) { self.init(Entry.DenialCode(refusal), available: .zero, needed: .zero) }
}
