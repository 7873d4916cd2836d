internal import Credits

extension RandomWorkload {
  /// A debit by usage or by a quote.
  mutating func priced(_ ledger: ReferenceLedger) -> ReferenceRequest.Verb {
    if !ledger.quotes.isEmpty, random.once(in: 3) {
      let number = max(0, ledger.quotes.count - 1 - random.below(30))
      return .quoted(ledger.quotes[number], number: number)
    }
    return .use(usage())
  }

  mutating func usages(_ ledger: ReferenceLedger) -> [ReferenceRequest] {
    var requests: [ReferenceRequest] = []
    for _ in 0..<random.below(10) {
      let request = ReferenceRequest(.use(usage()), on: account(), request: id())
      requests.append(request)
      if random.once(in: 8) { requests.append(request) }
      remember(request)
    }
    return requests
  }

  /// Usage that most books have a price for.
  mutating func usage() -> Usage {
    switch random.below(24) {
    case 0..<12:
      return Usage(
        "chat", model: random.pick([nil, "default", "large", "small", "huge"]),
        tier: random.once(in: 30) ? "high" : nil, units: count())
    case 12..<18:
      var units: [String: UInt64] = [:]
      for unit in ["second", "image", "byte", "pixel"] where random.once(in: 2) { units[unit] = count() }
      if random.once(in: 12) { units[random.pick(["meter", "token"])] = count() }
      if random.once(in: 30) { units["ton"] = 1 }
      return Usage("render", tier: random.pick(["low", "high", "high", nil]), units: units)
    case 18: return Usage("render", tier: "low", units: count())
    case 19: return Usage("free")
    case 20, 21: return Usage("flat", units: random.once(in: 8) ? 7 : 0)
    case 22: return Usage(random.pick(["nothing", "", String(repeating: "z", count: 256)]), units: count())
    default: return Usage("chat", units: ["token": count()])
    }
  }

  private mutating func count() -> UInt64 {
    switch random.below(40) {
    case 0: 0
    case 1: random.pick([1, UInt64(UInt32.max), UInt64(UInt32.max) + 1, .max])
    default: UInt64(1 + random.below(3_000))
    }
  }

  /// A book that differs from the others in prices, rounding, validity, and now and then in what it has.
  mutating func book(_ ledger: ReferenceLedger) -> PriceBook {
    let now = ledger.now
    var features = [
      PriceBook.Feature(
        "chat", base: price(50_000), rates: [rate("token", 8_000)],
        models: [
          PriceBook.Choice("default", times: 1), PriceBook.Choice("large", times: 2.5),
          PriceBook.Choice("small", times: Multiplier(millionths: Int64(random.below(999_999)))),
        ]),
      PriceBook.Feature(
        "render", base: price(500_000),
        rates: ["pixel", "byte", "image", "second"].shuffled(using: &random).map { rate($0, 4_000) },
        tiers: [PriceBook.Choice("low", times: 0.75), PriceBook.Choice("high", times: 1.333333)],
        minimum: price(100_000), maximum: random.once(in: 2) ? Amount(millionths: 5_000_000) : nil),
      PriceBook.Feature("free"), PriceBook.Feature("flat", base: price(3_000_000)),
    ]
    if random.once(in: 4) { features.remove(at: random.below(features.count)) }
    let starts = random.once(in: 3) ? now + .microseconds(random.below(20_000_000) - 10_000_000) : nil
    let ends = random.once(in: 4) ? max(now, starts ?? now) + .microseconds(1 + random.below(30_000_000)) : nil
    return PriceBook(
      "book", validFrom: starts, validUntil: ends, quoteValidity: .seconds(1 + random.below(20)),
      rounding: random.pick([0.000001, 0.00001, 0.001, 0.25]), features: features)
  }

  private mutating func price(_ bound: Int) -> Amount { Amount(millionths: Int64(random.below(bound))) }

  private mutating func rate(_ unit: String, _ bound: Int) -> PriceBook.Rate {
    let per = random.pick([UInt32(1), 3, 7, 1_000])
    return PriceBook.Rate(unit: unit, amount: Amount(millionths: price(bound).millionths * Int64(per)), per: per)
  }
}
