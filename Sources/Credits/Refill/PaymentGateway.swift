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

/// The key of a charge, such as `credits-018f6e2a…-1c2d3e4f…-7`: the store, the account, and the charge's number.
struct ChargeKey: Hashable, Sendable {
  let account: AccountID
  let number: UInt32

  /// The key's text in a store.
  func text(in store: RequestID) -> String {
    "credits-\(ChargeKey.digits(store))-\(ChargeKey.digits(account))-\(number)"
  }

  init(account: AccountID, number: UInt32) {
    self.account = account
    self.number = number
  }

  /// Parses a key's text; nil if it is none, or one of another store.
  init?(_ text: String, in store: RequestID) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 4, parts[0] == "credits", parts[1] == ChargeKey.digits(store), parts[2].utf8.count == 32,
      let high = UInt64(parts[2].prefix(16), radix: 16), let low = UInt64(parts[2].suffix(16), radix: 16),
      let number = UInt32(parts[3])
    else { return nil }
    self.init(account: AccountID(high: high, low: low), number: number)
    guard self.text(in: store) == text else { return nil }
  }

  private static func digits(_ id: some Identifier) -> String { id.description.filter { $0 != "-" } }
}
