/// What a customer agreed to: when and how auto-refill buys credits.
public struct RefillTerms: Hashable, Sendable {
  /// A refill comes due when less than this is available.
  public let threshold: Amount

  /// What one refill buys at least; it buys as many as it takes to reach the threshold.
  public let pack: Pack

  /// The most money that is charged in one period, charges under way included.
  public let cap: Money

  /// The period of the cap, counted from the customer's first consent.
  public let period: Period

  /// The number of the saved payment method that is charged.
  public package(set) var method: UInt32

  /// What the customer agreed to, in words of yours, such as the version of your terms; at most 255 bytes.
  public let consent: String

  package init(threshold: Amount, pack: Pack, cap: Money, period: Period, method: UInt32, consent: String) {
    self.threshold = threshold
    self.pack = pack
    self.cap = cap
    self.period = period
    self.method = method
    self.consent = consent
  }

  /// The most packs of one refill.
  package static let maximumPacks: Int64 = 10_000

  /// The number of packs that a refill buys: enough to reach the threshold, as far as the money goes.
  package func packs(available: Amount, money left: Int64) -> Int64 {
    guard available < threshold, left >= pack.price.minor else { return 0 }
    let gap = threshold.millionths - available.millionths
    let needed = (gap - 1) / pack.credits.millionths + 1
    return min(needed, left / pack.price.minor)
  }

  /// Whether amounts and texts are in range.
  package var isValid: Bool {
    let credits = pack.credits.millionths
    return threshold > 0 && credits > 0 && credits < .max / (16 * RefillTerms.maximumPacks)
      && threshold.millionths / credits < RefillTerms.maximumPacks && pack.price.minor > 0
      && pack.price.minor < .max / (2 * RefillTerms.maximumPacks) && cap.minor > 0
      && cap.currency == pack.price.currency && consent.utf8.count <= Item.maximumText
  }
}

/// A saved way to pay: a token of the payment provider, never a card number.
public struct PaymentMethod: Hashable, Sendable {
  /// The method's number within its account, from 1 upwards; 0 before it is saved.
  public package(set) var number: UInt32 = 0

  /// The provider's token for the card, at most 255 bytes.
  public let token: String

  /// The card's brand, such as `visa`.
  public let brand: String

  /// The last four digits of the card's number.
  public let lastFour: String

  /// The year in which the card expires.
  public let expiryYear: Int

  /// The month in which it expires, from 1 to 12; it is good to the month's end.
  public let expiryMonth: Int

  /// Describes a payment method.
  public init(token: String, brand: String, lastFour: String, expiryYear: Int, expiryMonth: Int) {
    self.token = token
    self.brand = brand
    self.lastFour = lastFour
    self.expiryYear = expiryYear
    self.expiryMonth = expiryMonth
  }

  /// Whether the texts are in range, and none of them is a card number.
  package var isValid: Bool {
    let texts = [token, brand, lastFour]
    return !token.isEmpty && lastFour.utf8.count == 4 && lastFour.utf8.allSatisfy { $0 >= 48 && $0 <= 57 }
      && texts.allSatisfy { $0.utf8.count <= Item.maximumText && !looksLikeCardNumber($0) }
      && (1...12).contains(expiryMonth) && (2000...9999).contains(expiryYear)
  }
}

/// Credits that are being bought: from the intent, through the charge of the card, to the grant.
public struct Charge: Hashable, Sendable {
  /// Who asked for the charge.
  public enum Kind: UInt8, Hashable, Sendable, CaseIterable {
    /// Auto-refill.
    case refill = 1
    /// The customer.
    case purchase = 2
  }

  /// How far a charge has come.
  public enum Status: UInt8, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    /// Nothing was sent to the payment provider yet.
    case due = 1
    /// It was, or is about to be, sent; the answer is not known yet.
    case charging = 2
    /// The customer's bank wants something from the customer first.
    case needsAction = 3
    /// The provider works on it.
    case processing = 4
    /// The provider did not answer, or not clearly.
    case unknown = 5
    /// The provider took another sum than it was told to; somebody has to look at it.
    case mismatched = 6

    /// The status's name.
    public var description: String {
      switch self {
      case .due: "due"
      case .charging: "charging"
      case .needsAction: "needs action"
      case .processing: "processing"
      case .unknown: "unknown"
      case .mismatched: "mismatched"
      }
    }
  }

  /// The charge's number within its account, from 1 upwards.
  public let number: UInt32

  /// Who asked for it.
  public let kind: Kind

  /// The credits that it buys.
  public package(set) var credits: Amount

  /// What is charged for them.
  public package(set) var price: Money

  /// The payment method, as it was when the charge was made.
  public let method: PaymentMethod

  /// How far the charge has come.
  public package(set) var status = Status.due

  /// The moment at which the charge was made.
  public let opened: Timestamp

  /// The moment at which it was first sent to the payment provider; `never` before.
  public package(set) var sent = Timestamp.never

  /// The moment from which the provider is to be asked again.
  public package(set) var retry: Timestamp

  /// How often the provider was asked without a final answer.
  public package(set) var attempts: UInt32 = 0

  package init(
    number: UInt32, kind: Kind, credits: Amount, price: Money, method: PaymentMethod, opened: Timestamp
  ) {
    self.number = number
    self.kind = kind
    self.credits = credits
    self.price = price
    self.method = method
    self.opened = opened
    retry = opened
  }
}

/// How an account's auto-refill stands.
public struct RefillState: Hashable, Sendable {
  /// Why auto-refill waits for a person.
  public enum Suspension: UInt8, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    /// The card was declined too often.
    case declined = 1
    /// The payment method was removed.
    case noMethod = 2
    /// A charge was disputed, or failed after it was credited.
    case disputed = 3

    /// The reason's name.
    public var description: String {
      switch self {
      case .declined: "declined"
      case .noMethod: "no method"
      case .disputed: "disputed"
      }
    }
  }

  /// What the customer agreed to; nil while auto-refill is off.
  public package(set) var terms: RefillTerms?

  /// Why auto-refill waits for a person; nil if it does not.
  public package(set) var suspended: Suspension?

  /// The moment until which no refill comes due after a decline.
  public package(set) var coolingUntil: Timestamp?

  /// The moment until which no refill comes due because of the cap.
  public package(set) var cappedUntil: Timestamp?

  /// The declines since the last success.
  public package(set) var declines: UInt32 = 0

  /// The moment from which the cap's periods are counted: the first consent to periods of this kind.
  public package(set) var since = Timestamp.zero

  /// The beginning of the period that `charged` is about.
  public package(set) var periodStart = Timestamp.zero

  /// What was charged in that period, charges under way included; nil for nothing.
  public package(set) var charged: Money?

  /// The kind of period that `since` is about; kept while auto-refill is off, so that switching it off and on again
  /// begins no new period.
  package var period: Period?

  /// The payment method that declines and suspension are about, kept likewise.
  package var method: UInt32 = 0

  package init() {}

  /// The period of the cap that contains a time, and what has been charged in it in a currency; nil if auto-refill was
  /// never on.
  package func period(
    at now: Timestamp, in currency: Currency
  ) -> (start: Timestamp, end: Timestamp, charged: Int64)? {
    guard let period else { return nil }
    let index = period.index(at: now, from: since)
    let start = period.boundary(index, from: since)
    let end = period.boundary(index + 1, from: since)
    let counts = start == periodStart && charged?.currency == currency
    return (start, end < .latest ? end : .never, counts ? charged?.minor ?? 0 : 0)
  }
}

/// What a payment provider says of a charge.
public enum ChargeOutcome: Hashable, Sendable {
  /// The card was charged, under the provider's reference, with a sum of money.
  case succeeded(reference: String, price: Money)
  /// The card was not charged.
  case declined(reason: String)
  /// The customer's bank wants something from the customer first, at an address or by a code of the provider.
  case needsAction(link: String)
  /// The provider works on it and will tell later.
  case processing
  /// Nothing certain is known: no answer came, or none that could be understood.
  case unknown(reason: String)
  /// The provider has looked, and never had such a charge.
  case neverCharged
}

/// How an account's auto-refill stands, for people.
public struct RefillSummary: Hashable, Sendable {
  /// The states of auto-refill.
  public enum State: Hashable, Sendable {
    /// The customer has not switched it on.
    case off
    /// It waits for the balance to fall below the threshold.
    case armed
    /// A refill is due and not sent yet.
    case due(Charge)
    /// A refill was sent and is not settled yet.
    case charging(Charge)
    /// The customer's bank wants something from the customer first.
    case needsAction(Charge)
    /// The card was declined; nothing is tried before this moment.
    case coolingDown(until: Timestamp)
    /// The money of the period is used up; nothing is tried before this moment.
    case capped(until: Timestamp)
    /// It waits for a person.
    case suspended(RefillState.Suspension)
  }

  /// The state.
  public let state: State

  /// What the customer agreed to; nil while auto-refill is off.
  public let terms: RefillTerms?

  /// The declines since the last success.
  public let declines: UInt32

  /// What was charged in the cap's present period, charges under way included; nil for nothing.
  public let charged: Money?

  init(_ account: Account, at now: Timestamp) {
    let refill = account.extras.refill
    terms = refill.terms
    declines = refill.declines
    charged = refill.charged.flatMap { charged in
      let minor = refill.period(at: max(now, account.time), in: charged.currency)?.charged ?? 0
      return minor > 0 ? Money(minor, charged.currency) : nil
    }
    if let charge = account.extras.charges.first(where: { $0.kind == .refill }) {
      switch charge.status {
      case .due: state = .due(charge)
      case .needsAction: state = .needsAction(charge)
      case .charging, .processing, .unknown, .mismatched: state = .charging(charge)
      }
    } else if refill.terms == nil {
      state = .off
    } else if let reason = refill.suspended {
      state = .suspended(reason)
    } else if let until = refill.coolingUntil {
      state = .coolingDown(until: until)
    } else if let until = refill.cappedUntil {
      state = .capped(until: until)
    } else {
      state = .armed
    }
  }
}

extension RefillSummary.State: CustomStringConvertible {
  /// The state in words.
  public var description: String {
    switch self {
    case .off: "off"
    case .armed: "armed"
    case .due: "due"
    case .charging(let charge): charge.status.description
    case .needsAction: "needs action"
    case .coolingDown(let until): "cooling down until \(until)"
    case .capped(let until): "capped until \(until)"
    case .suspended(let reason): "suspended because \(reason)"
    }
  }
}
