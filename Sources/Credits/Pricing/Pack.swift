/// A number of credits and what it costs.
public struct Pack: Hashable, Sendable {
  /// The credits that the buyer gets.
  public let credits: Amount

  /// The money that the buyer pays.
  public let price: Money

  /// Makes a pack.
  public init(credits: Amount, price: Money) {
    self.credits = credits
    self.price = price
  }
}

extension Pack: CustomStringConvertible {
  /// The pack as `500 credits for 20.00 USD`.
  public var description: String { "\(credits) credits for \(price)" }
}
