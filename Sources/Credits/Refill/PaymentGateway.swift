/// Where cards are charged: your payment provider, behind two calls.
///
/// The key of an order is the provider's idempotency key: one key charges a card at most once, however often it is
/// sent, as long as the provider remembers it. The store never gives one charge two keys.
public protocol PaymentGateway: Sendable {
  /// How long the provider remembers an idempotency key; after that an order is looked up, and never sent again.
  var keyMemory: Duration { get }

  /// Charges the order's payment method with the order's price, under the order's key.
  ///
  /// May be called again with the same order, also at the same time. A thrown error says that nothing certain is known,
  /// as does the outcome `unknown`.
  func charge(_ order: ChargeOrder) async throws -> ChargeOutcome

  /// Asks what became of an order, and charges nothing.
  ///
  /// Answers `neverCharged` only if the provider is sure that it never had the key and never will.
  func lookUp(_ order: ChargeOrder) async throws -> ChargeOutcome
}

/// What a payment provider is told to charge.
public struct ChargeOrder: Hashable, Sendable {
  /// The idempotency key: one for each charge, from its intent to its credits.
  public let key: String

  /// The account that gets the credits.
  public let account: AccountID

  /// The charge.
  public let charge: Charge

  /// What to charge.
  public var price: Money { charge.price }

  /// The payment method to charge.
  public var method: PaymentMethod { charge.method }
}

/// A charge of a store.
struct ChargeKey: Hashable, Sendable {
  let account: AccountID
  let number: UInt32
}

/// The payment provider's key of a charge, such as `credits-018f6e2a…-1c2d3e4f…-7-1800000000000000`: the store, the
/// account, the charge's number, and the microsecond at which it was made.
///
/// The moment tells a charge from one of the same number that was lost when an older copy of the store took its place.
struct ChargeName: Hashable, Sendable {
  let charge: ChargeKey
  let opened: Timestamp

  /// The name's text in a store.
  func text(in store: RequestID) -> String {
    "credits-\(ChargeName.digits(store))-\(ChargeName.digits(charge.account))-\(charge.number)-\(opened.microseconds)"
  }

  init(_ charge: ChargeKey, opened: Timestamp) {
    self.charge = charge
    self.opened = opened
  }

  /// Parses a name's text; nil if it is none, or one of another store.
  init?(_ text: String, in store: RequestID) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 5, parts[0] == "credits", parts[1] == ChargeName.digits(store), parts[2].utf8.count == 32,
      let high = UInt64(parts[2].prefix(16), radix: 16), let low = UInt64(parts[2].suffix(16), radix: 16),
      let number = UInt32(parts[3]), let opened = Int64(parts[4])
    else { return nil }
    self.init(
      ChargeKey(account: AccountID(high: high, low: low), number: number), opened: Timestamp(microseconds: opened))
    guard self.text(in: store) == text else { return nil }
  }

  private static func digits(_ id: some Identifier) -> String { id.description.filter { $0 != "-" } }
}
