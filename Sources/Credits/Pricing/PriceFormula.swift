/// The exact arithmetic of one feature's prices.
///
/// The sum of base and rates is kept as whole millionths and a fraction of one over the common denominator of the
/// rates, so that every step is exact in 128 bits wherever the price itself is within the range of an amount. (A sum
/// beyond 128 bits is out of range even where a factor is zero.)
struct PriceFormula: Sendable {
  /// One rate.
  private struct Term {
    let amount: UInt64
    let per: UInt64
    /// The common denominator over `per`.
    let share: UInt128
  }

  /// A number of millionths: `whole + part / denominator`, the part less than the denominator.
  struct Exact: Hashable, Sendable {
    var whole: UInt128
    var part: UInt128
    let denominator: UInt128
  }

  private let base: UInt64
  private let terms: [Term]
  private let denominator: UInt128
  private let step: UInt128
  private let minimum: Amount
  private let maximum: Amount

  /// A factor of one, twice: the product of two factors counts in millionths of millionths.
  private static let unit: UInt128 = 1_000_000_000_000

  /// Prepares a feature of a book that was checked.
  init(_ feature: PriceBook.Feature, rounding: Amount) {
    // Four numbers of 32 bits have a common multiple within 128 bits.
    let denominator = feature.rates.reduce(UInt128(1)) { multiple, rate in
      multiple / Self.commonDivisor(multiple, UInt128(rate.per)) * UInt128(rate.per)
    }
    self.denominator = denominator
    base = UInt64(feature.base.millionths)
    terms = feature.rates.map { rate in
      Term(
        amount: UInt64(rate.amount.millionths), per: UInt64(rate.per), share: denominator / UInt128(rate.per))
    }
    step = UInt128(rounding.millionths)
    minimum = feature.minimum
    maximum = feature.maximum ?? .max
  }

  /// The price, rounded up to a multiple of the step, then raised to the minimum, then lowered to the maximum; nil
  /// where the rounded price is beyond the range of an amount.
  func price(_ counts: Counts, _ model: Multiplier, _ tier: Multiplier) -> Amount? {
    guard let rounded = rounded(counts, model, tier) else { return nil }
    return min(max(rounded, minimum), maximum)
  }

  /// The price before minimum and maximum.
  func rounded(_ counts: Counts, _ model: Multiplier, _ tier: Multiplier) -> Amount? {
    guard let sum = sum(counts), let product = product(of: sum, model, tier) else { return nil }
    // Rounding up in two steps gives the same as in one.
    let (ceiling, overflow) = product.whole.addingReportingOverflow(product.part == 0 ? 0 : 1)
    guard !overflow else { return nil }
    let width = Self.unit * step
    var (steps, rest) = ceiling.quotientAndRemainder(dividingBy: width)
    if rest != 0 { steps += 1 }
    let (rounded, carried) = steps.multipliedReportingOverflow(by: step)
    guard !carried, let millionths = Int64(exactly: rounded) else { return nil }
    return Amount(millionths: millionths)
  }

  /// Base and rates, in millionths; nil beyond 128 bits.
  func sum(_ counts: Counts) -> Exact? {
    var sum = Exact(whole: UInt128(base), part: 0, denominator: denominator)
    for (index, term) in terms.enumerated() where counts[index] != 0 {
      let cost = UInt128(term.amount) * UInt128(counts[index])
      let (whole, rest) = cost.quotientAndRemainder(dividingBy: UInt128(term.per))
      let part = rest * term.share
      let isCarried = part != 0 && sum.part >= denominator - part
      let (added, overflow) = sum.whole.addingReportingOverflow(whole)
      let (total, carryOverflow) = added.addingReportingOverflow(isCarried ? 1 : 0)
      guard !overflow, !carryOverflow else { return nil }
      sum.whole = total
      if isCarried { sum.part -= denominator - part } else { sum.part += part }
    }
    return sum
  }

  /// A sum times both factors, in millionths of millionths of millionths; nil beyond 128 bits.
  func product(of sum: Exact, _ model: Multiplier, _ tier: Multiplier) -> Exact? {
    let factor = UInt128(model.millionths) * UInt128(tier.millionths)
    let (whole, overflow) = sum.whole.multipliedReportingOverflow(by: factor)
    guard !overflow else { return nil }
    guard sum.part != 0, factor != 0 else { return Exact(whole: whole, part: 0, denominator: denominator) }
    let wide = sum.part.multipliedFullWidth(by: factor)
    // The part is less than the denominator, so the quotient is less than the factor.
    let (quotient, rest) =
      wide.high == 0
      ? wide.low.quotientAndRemainder(dividingBy: denominator) : denominator.dividingFullWidth(wide)
    let (total, carried) = whole.addingReportingOverflow(quotient)
    return carried ? nil : Exact(whole: total, part: rest, denominator: denominator)
  }

  /// What one rate costs for its count, exactly.
  func cost(_ index: Int, _ counts: Counts) -> Exact {
    let cost = UInt128(terms[index].amount) * UInt128(counts[index])
    let (whole, rest) = cost.quotientAndRemainder(dividingBy: UInt128(terms[index].per))
    return Exact(whole: whole, part: rest, denominator: UInt128(terms[index].per))
  }

  /// The greatest number that divides both (Euclid's algorithm).
  static func commonDivisor(_ first: UInt128, _ second: UInt128) -> UInt128 {
    var (large, small) = (first, second)
    while small != 0 { (large, small) = (small, large % small) }
    return large
  }
}
