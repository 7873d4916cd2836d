internal import Logging
internal import Synchronization

/// Payment: saved methods, auto-refill, purchases, and what the payment provider says.
extension CreditStore {
  // MARK: Payment methods

  /// Saves a payment method: a token of your payment provider, and what helps the customer recognise the card.
  ///
  /// - Parameters:
  ///   - method: The method; anything in it that looks like a card number is refused.
  ///   - account: The account it belongs to; at most 16 are kept.
  ///   - forRefill: Whether auto-refill, if it is on, uses this method from now on. A refill that waited for another
  ///     card can then go on.
  ///   - request: The caller's idempotency key.
  /// - Returns: The method with its number.
  /// - Throws: `denied` with the reason `invalid` (a card number, a missing token, last four digits that are not four),
  ///   `limit`, `closed`, `unknownAccount`, `conflict` or `tooOld`; store failures.
  @discardableResult
  public func savePaymentMethod(
    _ method: PaymentMethod, for account: AccountID, forRefill: Bool = true, request: RequestID
  ) async throws(StoreError) -> PaymentMethod {
    let receipt = try await engine.change(.saveMethod(method, forRefill: forRefill), account, request)
    var saved = method
    saved.number = receipt.number
    return saved
  }

  /// Removes a payment method; charges that were sent go on, others are cancelled.
  ///
  /// - Throws: `denied` with the reason `noMethod`, and as `savePaymentMethod`.
  @discardableResult
  public func removePaymentMethod(
    _ method: PaymentMethod, of account: AccountID, request: RequestID
  ) async throws(StoreError) -> Receipt {
    try await engine.change(.removeMethod(method.number), account, request)
  }

  // MARK: Auto-refill

  /// Switches auto-refill on, with what the customer agreed to, or off.
  ///
  /// A refill comes due in the same commit as the change that leaves less available than the threshold; at once if less
  /// is available already. Switching it off, or changing it, cancels a refill that was not sent yet; one that was sent
  /// is completed and credited.
  ///
  /// - Throws: `denied` with the reason `noMethod`, `invalid` (an amount out of range, a cap in another currency, a
  ///   threshold of more than 10,000 packs), `closed`, `unknownAccount`, `conflict` or `tooOld`; `invalidArgument` if
  ///   the catalogue does not sell what it is to buy; store failures.
  @discardableResult
  public func setAutoRefill(
    _ setting: AutoRefill, for account: AccountID, request: RequestID
  ) async throws(StoreError) -> Receipt {
    guard case .on(let threshold, let offer, let cap, let period, let method, let consent) = setting else {
      return try await engine.change(.setRefill(nil), account, request)
    }
    let terms = RefillTerms(
      threshold: threshold, pack: try await pack(for: offer, request, of: account), cap: cap, period: period,
      method: method.number,
      consent: consent)
    return try await engine.change(.setRefill(terms), account, request)
  }

  /// Lets an account's auto-refill go on that is suspended or cools down.
  ///
  /// - Throws: `denied` with the reason `noRefill`, `closed`, `unknownAccount`, `conflict` or `tooOld`; store failures.
  @discardableResult
  public func resumeAutoRefill(
    for account: AccountID, reason: String = "", request: RequestID
  ) async throws(StoreError) -> Receipt {
    try await engine.change(.resumeRefill(reason: reason), account, request)
  }

  /// Whether no card is charged, as the store is a copy: a restored backup, or files that were copied.
  ///
  /// A copy does not know what the original has charged since. Make sure that the original is gone, then call
  /// ``resumeCharges()``. Debits, holds and all else go on meanwhile, refills come due and wait.
  public var chargesArePaused: Bool { engine.isPaused.load(ordering: .acquiring) }

  /// Lets cards be charged again after a restore.
  public func resumeCharges() async throws(StoreError) { try await engine.resumeCharges() }

  // MARK: Purchases

  /// Notes that a customer wants to buy credits: the first step of a purchase, durable before a card is charged.
  ///
  /// The ``RefillWorker`` does the rest: it charges the method under one key and gives the credits once, whatever
  /// crashes in between. A purchase that is paid re-arms an auto-refill that declines have stopped.
  ///
  /// - Parameters:
  ///   - offer: What to buy: a pack, or a custom amount that the catalogue sells, exact to the cent.
  ///   - account: The account that gets the credits.
  ///   - method: The saved payment method to charge.
  ///   - request: The caller's idempotency key: one request, one purchase.
  /// - Throws: `invalidArgument` if the catalogue does not sell it, naming what it sells; `denied` with the reason
  ///   `noMethod`, `frozen`, `closed`, `limit` (16 open charges), `unknownAccount`, `invalid`, `conflict` or `tooOld`;
  ///   store failures.
  @discardableResult
  public func purchase(
    _ offer: Offer, for account: AccountID, with method: PaymentMethod, request: RequestID
  ) async throws(StoreError) -> Purchase {
    let pack = try await pack(for: offer, request, of: account)
    let command = Command.order(pack.credits, price: pack.price, method: method.number)
    let receipt = try await engine.change(command, account, request)
    return Purchase(
      receipt: receipt, account: account, number: receipt.number, pack: pack,
      key: name(ofCharge: receipt.number, of: account, opened: receipt.time))
  }

  /// What an offer is: for a request that is known what it was the first time, though the catalogue may have changed
  /// since, and else what the catalogue sells.
  private func pack(
    for offer: Offer, _ request: RequestID, of account: AccountID
  ) async throws(StoreError) -> Pack {
    if let record = try await engine.record(of: request, account), let price = record.money(.price) {
      let known = Pack(credits: record.amount(.pack) ?? record.entry.amount, price: price)
      switch offer {
      case .pack(known.credits), .credits(known.credits), .money(known.price): return known
      default: break
      }
    }
    do throws(CatalogueError) { return try catalogue.price(of: offer) } catch {
      throw .invalidArgument(error.description)
    }
  }

  /// How far a charge has come; nil if the account has no such charge, or its entries are outside retention.
  public func progress(of purchase: Purchase) async throws(StoreError) -> ChargeProgress? {
    try await progress(ofCharge: purchase.number, of: purchase.account)
  }

  /// How far a charge has come, by its number; nil as above.
  public func progress(ofCharge number: UInt32, of account: AccountID) async throws(StoreError) -> ChargeProgress? {
    if let charge = try engine.state(of: account)?.extras.charges.first(where: { $0.number == number }) {
      return .open(charge)
    }
    return try await entry(ofCharge: number, of: account, [.credited, .declined, .cancelled]).map { .ended($0) }
  }

  /// The key under which the payment provider has a charge, as in ``ChargeOrder/key``; nil if the account has no such
  /// charge, or its entries are outside retention.
  public func key(ofCharge number: UInt32, of account: AccountID) async throws(StoreError) -> String? {
    let extras = try engine.state(of: account)?.extras
    let charge = ((extras?.charges ?? []) + (extras?.unpaid ?? [])).first { $0.number == number }
    var opened = charge?.opened
    if opened == nil { opened = try await entry(ofCharge: number, of: account, [.due, .ordered])?.time }
    return opened.map { name(ofCharge: number, of: account, opened: $0) }
  }

  private func name(ofCharge number: UInt32, of account: AccountID, opened: Timestamp) -> String {
    ChargeName(ChargeKey(account: account, number: number), opened: opened).text(in: engine.identity.store)
  }

  /// The latest entry of a charge that is of certain kinds; nil if there is none in what is kept of the journal.
  private func entry(
    ofCharge number: UInt32, of account: AccountID, _ kinds: Set<JournalEntry.Kind>
  ) async throws(StoreError) -> JournalEntry? {
    guard let state = try engine.state(of: account), number > 0, number <= state.extras.lastCharge else { return nil }
    try await engine.queue.waitUntilDurable(state.last)
    var found: JournalEntry?
    do throws(StoreError) {
      try engine.view.walk(from: state.last) { entry in
        if entry.charge == number, kinds.contains(entry.kind) { found = entry }
        return found == nil
      }
    } catch { guard case .outsideRetention = error else { throw error } }
    return found
  }

  // MARK: What the payment provider says

  /// Books what the payment provider tells of a charge by itself: a notice, a webhook.
  ///
  /// May come twice, late, out of order, before the provider's answer, or while the worker asks: the first success that
  /// matches the charge gives the credits, everything else changes nothing. A success with another sum gives nothing
  /// and raises the event `mismatched`. After the credits were given, a success with another sum raises the event
  /// `disputed`: the credits stay, auto-refill stops, and somebody has to look at it. That a charge failed after all is
  /// told by ``dispute(charge:of:reason:request:)``, as a notice of a decline may just be late.
  ///
  /// - Parameters:
  ///   - outcome: What the provider says.
  ///   - key: The key of the charge, as in ``ChargeOrder/key``.
  /// - Throws: `denied` with the reason `noCharge` if the key is of no charge of this store: of another store, of one
  ///   that was lost when a backup took the store's place, or of one that ended without credits too long ago to be
  ///   credited by itself, or so long ago that the journal no longer tells how; store failures. A success that is
  ///   answered so is money without credits: somebody has to look at it.
  public func report(_ outcome: ChargeOutcome, ofChargeWithKey key: String) async throws(StoreError) {
    guard let name = ChargeName(key, in: engine.identity.store) else { return try await deny(outcome, key) }
    let charge = name.charge
    // Of the charge that has this number, and not of one that was lost with its number.
    guard try await self.key(ofCharge: charge.number, of: charge.account) ?? key == key,
      let state = try engine.state(of: charge.account), charge.number > 0, charge.number <= state.extras.lastCharge
    else { return try await deny(outcome, key) }
    try await engine.act(.settle(charge.number, outcome), on: charge.account)
    guard let progress = try await progress(ofCharge: charge.number, of: charge.account) else {
      // How it ended is outside retention: it may have ended without credits.
      if case .succeeded = outcome { try await deny(outcome, key) }
      return
    }
    guard case .ended(let end) = progress else { return }
    switch outcome {
    case .succeeded where end.kind != .credited: try await deny(outcome, key)
    case .succeeded(_, let price) where price != end.money:
      try await dispute(charge, "paid once more, with \(price)", state)
    default: break
    }
  }

  /// Notes that something is wrong with a charge that was credited: once, until somebody resumes auto-refill.
  private func dispute(_ charge: ChargeKey, _ reason: String, _ state: Account) async throws(StoreError) {
    guard state.extras.refill.suspended != .disputed else { return }
    guard state.status != .closed else {
      let about: Logger.Metadata = [
        "account": "\(charge.account)", "charge": "\(charge.number)", "reason": "\(reason.escapedForTerminal)",
      ]
      return engine.logger.critical("a charge of a closed account is disputed", metadata: about)
    }
    let text = String(reason.unicodeScalars.prefix(Item.maximumText / 4))
    try await engine.act(.dispute(charge.number, reason: text), on: charge.account)
  }

  /// Refuses what is told of a charge that is not known, or no longer.
  private func deny(_ outcome: ChargeOutcome, _ key: String) async throws(StoreError) {
    if case .succeeded = outcome {
      engine.logger.critical("a charge was paid that is not known", metadata: ["key": "\(key.escapedForTerminal)"])
    }
    throw .denied(Denial(reason: .noCharge, sequence: nil, time: try engine.keeper.now(), isReplay: false))
  }

  /// Notes that a charge was disputed, or failed, after its credits were given: auto-refill stops until somebody
  /// resumes it. The credits stay; freeze the account if they must not be spent.
  ///
  /// - Throws: `denied` with the reason `noCharge` if there is no such charge or it is still open, and as
  ///   `setAutoRefill`; store failures.
  @discardableResult
  public func dispute(
    charge number: UInt32, of account: AccountID, reason: String, request: RequestID
  ) async throws(StoreError) -> Receipt {
    try await engine.change(.dispute(number, reason: reason), account, request)
  }
}

/// How auto-refill is to be.
public enum AutoRefill: Hashable, Sendable {
  /// It buys nothing.
  case off
  /// When less than an amount is available, it buys as many packs as it takes to get there again, for at most a sum of
  /// money in a period, with a saved payment method. What the customer agreed to, in your words, is kept with it.
  case on(
    below: Amount, buy: Offer, atMost: Money, per: Period, with: PaymentMethod, consent: String = "")
}

/// A purchase that was noted, and is charged by the worker.
public struct Purchase: Hashable, Sendable {
  /// The entry that notes it.
  public let receipt: Receipt

  /// The account that gets the credits.
  public let account: AccountID

  /// The number of its charge within the account.
  public let number: UInt32

  /// What is bought, and its price.
  public let pack: Pack

  /// The key that the payment provider gets.
  public let key: String
}

/// How far a charge has come.
public enum ChargeProgress: Hashable, Sendable {
  /// It has not ended.
  case open(Charge)
  /// It was credited, declined or cancelled by this entry.
  case ended(JournalEntry)
}
