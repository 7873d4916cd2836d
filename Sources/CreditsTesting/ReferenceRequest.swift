public import Credits

/// A request to a store, as a value: what a caller would call, on which account, under which id.
public struct ReferenceRequest: Hashable, Sendable {
  /// The verbs of a store with their arguments.
  public enum Verb: Hashable, Sendable {
    /// Open the account under a label.
    case open(label: String)
    /// Give credits.
    case grant(Amount, Grant.Source, priority: UInt8?, starts: Timestamp?, expires: Timestamp?)
    /// Take credits.
    case debit(Amount, Debit.Extent)
    /// Take what usage costs.
    case use(Usage)
    /// Take what was quoted, in the quote of that number.
    case quoted(ReferenceQuote, number: Int)
    /// Stop spending.
    case freeze(reason: String)
    /// Allow spending again.
    case unfreeze(reason: String)
    /// Close the account for good.
    case close(reason: String)
    /// Set credits aside.
    case hold(Amount, Duration, Hold.End)
    /// Set aside what usage costs.
    case holdFor(Usage, Duration, Hold.End)
    /// Take what the work has cost for which the request made a hold.
    case capture(Amount?)
    /// Give the request's hold back.
    case release
    /// Begin or change a plan.
    case subscribe(Plan, anchor: Timestamp?)
    /// End the plan.
    case unsubscribe(atOnce: Bool)
    /// Set the levels that are told.
    case setAlerts([Amount])
    /// Make a debit good.
    case correct(SequenceNumber, by: Amount, reason: String, agent: String)
    /// Save a payment method.
    case saveMethod(PaymentMethod, forRefill: Bool)
    /// Remove a payment method.
    case removeMethod(PaymentMethod)
    /// Switch auto-refill on, change it, or switch it off.
    case setRefill(AutoRefill)
    /// Let auto-refill go on.
    case resumeRefill(reason: String)
    /// Buy credits.
    case purchase(Offer, PaymentMethod)
    /// Dispute a charge.
    case dispute(UInt32, reason: String)
  }

  /// The account concerned.
  public let account: AccountID

  /// The verb.
  public let verb: Verb

  /// The caller's idempotency key; an opening has none of the caller's.
  public let request: RequestID

  /// Describes a request.
  public init(_ verb: Verb, on account: AccountID, request: RequestID) {
    self.account = account
    // What a caller leaves out is the same as saying the default.
    if case .grant(let amount, let source, let priority, let starts, let expires) = verb {
      self.verb = .grant(
        amount, source, priority: priority ?? source.kind.priority, starts: starts ?? .zero, expires: expires ?? .never)
    } else {
      self.verb = verb
    }
    if case .open = verb { self.request = ReferenceRequest.opening } else { self.request = request }
  }

  /// The id that the store uses for openings: one that is used for something else, too, is a conflict.
  static let opening: RequestID = "credits: open the account"

  /// What two requests must have in common for the second to be a repetition: how a price came about, in which order
  /// levels were named and how an offer was put is no part of it.
  var contents: Verb {
    switch verb {
    case .quoted(let quote, _): .use(quote.usage)
    case .setAlerts(let levels): .setAlerts(Set(levels).sorted(by: >))
    case .purchase(let offer, let method): .purchase(.credits(Pack(offer)?.credits ?? 0), method.numberAlone)
    case .removeMethod(let method): .removeMethod(method.numberAlone)
    case .setRefill(.on(let threshold, let offer, let cap, let period, let method, let consent)):
      .setRefill(
        .on(below: threshold, buy: offer, atMost: cap, per: period, with: method.numberAlone, consent: consent))
    case .saveMethod(let method, let forRefill): .saveMethod(method.unsaved, forRefill: forRefill)
    default: verb
    }
  }

  /// The usage that is to be priced.
  var usage: Usage? {
    switch verb {
    case .use(let usage), .holdFor(let usage, _, _): usage
    case .quoted(let quote, _): quote.usage
    default: nil
    }
  }

  /// Whether amounts, times and texts are in the range that the documentation names.
  var isWellFormed: Bool {
    switch verb {
    case .debit(let amount, _): return amount > 0
    case .use, .quoted, .release, .unsubscribe: return true
    case .grant(let amount, let source, _, let starts?, let expires?):
      return amount > 0 && source.reference.isShort && starts >= .zero && starts <= .latest && starts < expires
        && (expires <= .latest || expires == .never)
    case .grant: return false
    case .open(let text), .freeze(let text), .unfreeze(let text), .close(let text), .resumeRefill(let text),
      .dispute(_, let text):
      return text.isShort
    case .hold(let amount, let duration, _): return amount > 0 && duration.isOfHold
    case .holdFor(_, let duration, _): return duration.isOfHold
    case .capture(let amount): return amount.map { $0 >= 0 } ?? true
    case .subscribe(let plan, let anchor):
      let most = Amount(millionths: .max / 8)
      return plan.allowance > 0 && plan.allowance < most && plan.rollover >= 0 && plan.rollover < most
        && !plan.name.isEmpty && plan.name.isShort && anchor.map { $0 >= .zero && $0 <= .latest } ?? true
    case .setAlerts(let levels): return Set(levels).count <= 16 && levels.allSatisfy { $0 > 0 }
    case .correct(_, let amount, let reason, let agent): return amount > 0 && reason.isShort && agent.isShort
    case .saveMethod(let method, _): return method.isWellFormed
    case .removeMethod, .purchase: return true
    case .setRefill(let setting): return setting.isWellFormed
    }
  }

  /// The amount that the request names, or that its denial notes.
  var amount: Amount {
    switch verb {
    case .grant(let amount, _, _, _, _), .debit(let amount, _), .hold(let amount, _, _), .correct(_, let amount, _, _):
      amount
    case .quoted(let quote, _): quote.amount
    case .setRefill(.on(let threshold, _, _, _, _, _)): threshold
    case .purchase(let offer, _): Pack(offer)?.credits ?? 0
    default: 0
    }
  }

  /// The kind of entry that the request makes when it succeeds.
  var kind: JournalEntry.Kind {
    switch verb {
    case .open: .opened
    case .grant, .correct: .granted
    case .debit, .use, .quoted: .debited
    case .freeze: .frozen
    case .unfreeze: .unfrozen
    case .close: .closed
    case .hold, .holdFor: .held
    case .capture: .captured
    case .release: .released
    case .subscribe: .subscribed
    case .unsubscribe(let atOnce): atOnce ? .ended : .unsubscribed
    case .setAlerts: .alertsSet
    case .saveMethod: .methodSaved
    case .removeMethod: .methodRemoved
    case .setRefill: .refillSet
    case .resumeRefill: .rearmed
    case .purchase: .ordered
    case .dispute: .disputed
    }
  }
}

extension AutoRefill {
  /// Whether amounts and texts are in the range that the documentation names; an offer that is not sold is another
  /// matter.
  fileprivate var isWellFormed: Bool {
    guard case .on(let threshold, let offer, let cap, _, _, let consent) = self, let pack = Pack(offer) else {
      return true
    }
    return threshold > 0 && Int128(threshold.millionths) / Int128(pack.credits.millionths) < 10_000 && cap.minor > 0
      && cap.currency == pack.price.currency && consent.isShort
  }
}

extension PaymentMethod {
  /// The method as it was before it was saved.
  var unsaved: PaymentMethod {
    PaymentMethod(token: token, brand: brand, lastFour: lastFour, expiryYear: expiryYear, expiryMonth: expiryMonth)
  }

  /// The method with nothing but its number, which is all that names it.
  fileprivate var numberAlone: PaymentMethod {
    var method = PaymentMethod(token: "", brand: "", lastFour: "", expiryYear: 0, expiryMonth: 0)
    method.number = number
    return method
  }

  /// Whether the texts are in range. The workload has one card number, and no other text with many digits.
  fileprivate var isWellFormed: Bool {
    !token.isEmpty && token.isShort && brand.isShort && token != PaymentMethod.cardNumber && lastFour.utf8.count == 4
      && lastFour.allSatisfy { "0123456789".contains($0) } && expiryMonth >= 1 && expiryMonth <= 12
      && expiryYear >= 2000 && expiryYear <= 9999
  }

  /// A number that card networks set aside for tests.
  static let cardNumber = "4242 4242 4242 4242"
}

extension String {
  fileprivate var isShort: Bool { utf8.count <= 255 }
}

extension Duration {
  fileprivate var isOfHold: Bool { self > .zero && self <= .seconds(366 * 86_400) }
}

extension ReferenceRequest: CustomStringConvertible {
  /// The request in a line.
  public var description: String {
    let id = request.high == 0 ? String(request.low) : request.description
    return "\("\(verb)".prefix(400)), account \(account.low), request \(id)"
  }
}
