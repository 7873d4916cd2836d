import Credits

/// What usage costs: credits for a thousand context tokens and for a thousand generated ones.
struct UsageRates: Sendable {
  let context: Amount
  let generated: Amount

  /// The price of a line, exact, rounded up once, at the end, to a millionth; nil where it is beyond an amount's range.
  func price(of line: UsageLine) -> Amount? {
    let thousandths =
      Int128(line.context) * Int128(context.millionths) + Int128(line.generated) * Int128(generated.millionths)
    let price = (thousandths + 999) / 1000
    // An account's totals may reach a quarter of the range.
    guard price < Int128(Int64.max / 4) else { return nil }
    return Amount(millionths: Int64(price))
  }
}
