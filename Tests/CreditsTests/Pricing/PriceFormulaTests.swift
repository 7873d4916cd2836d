import CreditsTesting
import Testing

@testable import Credits

@Suite("The arithmetic of prices")
struct PriceFormulaTests {
  static func counts(_ values: [UInt64]) -> Counts {
    var counts = Counts()
    for (index, value) in values.enumerated() { counts[index] = value }
    return counts
  }

  /// The price by schoolbook arithmetic on fractions, before it is rounded, in millionths.
  static func exact(
    _ feature: PriceBook.Feature, _ counts: [UInt64], _ model: Multiplier, _ tier: Multiplier
  ) -> BigFraction {
    var sum = BigFraction(BigNatural(UInt64(feature.base.millionths)))
    for (rate, count) in zip(feature.rates, counts) where count != 0 {
      let cost = BigNatural(UInt64(rate.amount.millionths)) * BigNatural(count)
      sum = sum + BigFraction(cost, over: BigNatural(UInt64(rate.per)))
    }
    let factor = BigNatural(UInt64(model.millionths)) * BigNatural(UInt64(tier.millionths))
    return sum * BigFraction(factor, over: BigNatural(1_000_000_000_000))
  }

  /// The price by schoolbook arithmetic: rounded up once, at the end.
  static func reference(_ row: Row) -> Amount? {
    let exact = exact(row.feature, row.counts, row.model, row.tier)
    let step = BigNatural(UInt64(row.rounding.millionths))
    let steps = exact.numerator.dividedUp(by: exact.denominator * step)
    guard let rounded = (steps * step).amount else { return nil }
    return min(max(Amount(millionths: rounded), row.feature.minimum), row.feature.maximum ?? .max)
  }

  /// Whether an amount, or none, is a fraction rounded up to a multiple of a step.
  static func isRounded(_ amount: Amount?, _ exact: BigFraction, to rounding: Amount) -> Bool {
    let step = UInt64(rounding.millionths)
    guard let amount else {
      let greatest = UInt64(Int64.max) / step * step
      return exact.numerator > exact.denominator * BigNatural(greatest)
    }
    let value = UInt64(amount.millionths)
    guard value % step == 0, exact.numerator <= exact.denominator * BigNatural(value) else { return false }
    return value == 0 || exact.numerator > exact.denominator * BigNatural(value - step)
  }

  struct Row: Sendable {
    let feature: PriceBook.Feature
    var rounding: Amount = 0.000001
    var counts: [UInt64] = []
    var model = Multiplier.one
    var tier = Multiplier.one
    let price: Amount?
  }

  static func feature(
    base: Amount = 0, _ rates: [(Amount, UInt32)] = [], minimum: Amount = 0, maximum: Amount? = nil
  ) -> PriceBook.Feature {
    let rates = rates.enumerated().map { PriceBook.Rate(unit: "u\($0)", amount: $1.0, per: $1.1) }
    return PriceBook.Feature("f", base: base, rates: rates, minimum: minimum, maximum: maximum)
  }

  static let least = Amount(millionths: 1)
  static let tiny = Multiplier(millionths: 1)
  static let huge = Multiplier(millionths: .max)

  static let rows: [Row] = [
    // Nothing, and free.
    Row(feature: feature(), price: 0),
    Row(feature: feature([(5, 1)]), price: 0),
    Row(feature: feature([(0, 1)]), counts: [.max], price: 0),
    Row(feature: feature(base: 7, [(5, 1)]), counts: [9], model: 0, price: 0),
    Row(feature: feature(base: 7), tier: 0, price: 0),
    // Base and rates.
    Row(feature: feature(base: 1.5), price: 1.5),
    Row(feature: feature(base: 1.5, [(0.5, 1000)]), counts: [4_808], price: 3.904),
    Row(feature: feature([(1, 1), (2, 1), (3, 1), (4, 1)]), counts: [1, 10, 100, 1000], price: 4_321),
    // Counts of rates that there are not cost nothing.
    Row(feature: feature([(1, 1)]), counts: [1, 10, 100, 1000], price: 1),
    // Rounded up once, at the end: three thirds are one, and a third of a millionth is a whole one.
    Row(feature: feature([(1, 3)]), counts: [1], price: 0.333334),
    Row(feature: feature([(1, 3), (1, 3), (1, 3)]), counts: [1, 1, 1], price: 1),
    Row(feature: feature([(least, 3)]), counts: [1], price: least),
    Row(feature: feature([(least, 3), (least, 6), (least, 2)]), counts: [1, 1, 1], price: least),
    Row(feature: feature([(least, 3), (least, 6), (least, 2)]), counts: [1, 1, 2], price: Amount(millionths: 2)),
    Row(feature: feature([(1, 3)]), counts: [1], model: 3, price: 1),
    Row(feature: feature(base: 1), model: Multiplier(millionths: 333_333), tier: 3, price: 0.999999),
    Row(feature: feature(base: least), model: tiny, tier: tiny, price: least),
    Row(feature: feature(base: 2), model: 2.5, tier: 1.1, price: 5.5),
    // Steps.
    Row(feature: feature(base: 1.01), rounding: 0.1, price: 1.1),
    Row(feature: feature(base: 1.1), rounding: 0.1, price: 1.1),
    Row(feature: feature(base: least), rounding: 1, price: 1),
    Row(feature: feature(base: 5), rounding: 3, price: 6),
    Row(feature: feature(), rounding: 3, price: 0),
    Row(feature: feature(base: least), rounding: .max, price: .max),
    // Minimum and maximum, after rounding; they need not be multiples of the step.
    Row(feature: feature(base: 1, minimum: 1.5), price: 1.5),
    Row(feature: feature(minimum: 1.5), price: 1.5),
    Row(feature: feature(base: 5, maximum: 3.25), rounding: 2, price: 3.25),
    Row(feature: feature(base: 0.5, minimum: 0.25), rounding: 1, price: 1),
    Row(feature: feature(base: 5, maximum: 0), price: 0),
    Row(feature: feature(base: 1, minimum: 2, maximum: 2), price: 2),
    // Four rates whose periods have a common multiple near 2^128.
    Row(
      feature: feature([(1, .max), (1, .max - 4), (1, .max - 16), (1, .max - 22)]), counts: [1, 1, 1, 1],
      price: least),
    Row(
      feature: feature([(1, .max), (1, .max - 4), (1, .max - 16), (1, .max - 22)]),
      counts: [UInt64(UInt32.max), UInt64(UInt32.max) - 4, UInt64(UInt32.max) - 16, UInt64(UInt32.max) - 22], price: 4),
    // The end of the range.
    Row(feature: feature(base: .max), price: .max),
    Row(feature: feature(base: .max, [(least, 1)]), counts: [1], price: nil),
    Row(feature: feature(base: .max, [(least, 2)]), counts: [1], price: nil),
    Row(feature: feature(base: .max), rounding: 1, price: nil),
    Row(feature: feature(base: .max, maximum: 1), rounding: 1, price: nil),
    Row(feature: feature(base: .max), model: huge, price: nil),
    Row(feature: feature(base: .max), model: huge, tier: huge, price: nil),
    Row(feature: feature([(.max, 1)]), counts: [.max], model: huge, tier: huge, price: nil),
    Row(feature: feature([(.max, 1), (.max, 1), (.max, 1), (.max, 1)]), counts: [.max, .max, .max, .max], price: nil),
    Row(feature: feature([(.max, .max)]), counts: [UInt64(UInt32.max)], price: .max),
    Row(feature: feature(base: .max), model: huge, tier: 0, price: 0),
    Row(feature: feature(base: least), model: huge, price: Amount(millionths: 9_223_372_036_855)),
  ]

  @Test("a price is what the arithmetic says", arguments: rows.indices)
  func table(_ index: Int) {
    let row = PriceFormulaTests.rows[index]
    let formula = PriceFormula(row.feature, rounding: row.rounding)
    #expect(formula.price(PriceFormulaTests.counts(row.counts), row.model, row.tier) == row.price, "\(row)")
    #expect(PriceFormulaTests.reference(row) == row.price, "the reference, of \(row)")
  }

  @Test("20,000 random prices agree with schoolbook fractions", arguments: 0..<4)
  func random(_ part: UInt64) {
    var random = SplitMix64(seed: 20_261_122 + part)
    var (inRange, outOfRange) = (0, 0)
    func number() -> UInt64 { random.once(in: 6) ? 0 : random.next() >> UInt64(1 + random.below(62)) }
    func per() -> UInt32 {
      let value = UInt32(truncatingIfNeeded: random.next()) >> UInt32(random.below(32))
      return max(1, random.once(in: 4) ? .max - value % 100 : value)
    }
    for _ in 0..<5_000 {
      var rates: [(Amount, UInt32)] = []
      for _ in 0..<random.below(5) { rates.append((Amount(millionths: Int64(number())), per())) }
      let minimum = Amount(millionths: Int64(number() >> 30))
      let maximum = random.once(in: 2) ? nil : Amount(millionths: minimum.millionths + Int64(number() >> 20))
      let feature = PriceFormulaTests.feature(
        base: Amount(millionths: Int64(number())), rates, minimum: minimum, maximum: maximum)
      let rounding = Amount(millionths: random.once(in: 2) ? 1 : max(1, Int64(number() >> 20)))
      let counts = (0..<4).map { _ in number() }
      func factor() -> Multiplier {
        random.once(in: 2) ? .one : Multiplier(millionths: Int64(number() >> UInt64(random.below(40))))
      }
      let (model, tier) = (factor(), factor())
      let formula = PriceFormula(feature, rounding: rounding)
      let given = PriceFormulaTests.counts(counts)
      let (rounded, price) = (formula.rounded(given, model, tier), formula.price(given, model, tier))
      if price == nil { outOfRange += 1 } else { inRange += 1 }
      // A sum beyond 128 bits is out of range even where a factor makes it nothing.
      let isNothing = model.millionths == 0 || tier.millionths == 0
      let exact = PriceFormulaTests.exact(feature, counts, model, tier)
      let isRight =
        rounded == nil && isNothing || PriceFormulaTests.isRounded(rounded, exact, to: rounding)
      if isRight, price == rounded.map({ min(max($0, minimum), maximum ?? .max) }) { continue }
      Issue.record("\(feature), step \(rounding), \(counts), times \(model), \(tier): \(String(describing: price))")
    }
    #expect(inRange > 1_000 && outOfRange > 200)
  }

  @Test("more units never cost less")
  func monotonic() {
    let feature = PriceFormulaTests.feature(base: 0.1, [(0.003, 7), (0.01, 13)], minimum: 0.2, maximum: 50)
    let formula = PriceFormula(feature, rounding: 0.01)
    var last = Amount.zero
    for units in stride(from: UInt64(0), to: 200_000, by: 97) {
      let price = formula.price(PriceFormulaTests.counts([units, units / 3]), 1.7, 0.9) ?? -1
      #expect(price >= last)
      last = price
    }
    #expect(last == 50)
  }
}
