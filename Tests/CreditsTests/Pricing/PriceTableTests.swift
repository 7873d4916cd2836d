import CreditsTesting
import Testing

@testable import Credits

@Suite("The table of prices")
struct PriceTableTests {
  static let now = Timestamp(seconds: 1_700_000_000)

  static let first = PriceBook(
    "first",
    features: [
      PriceBook.Feature(
        "chat", base: 1, rates: [.init(unit: "input", amount: 1, per: 10), .init(unit: "output", amount: 3, per: 10)],
        models: [.init("small", times: 0.5), .init("default", times: 1), .init("large", times: 2)],
        tiers: [.init("default", times: 1), .init("hard", times: 3)]),
      PriceBook.Feature("image", base: 5),
      PriceBook.Feature("speech", rates: [.init(unit: "second", amount: 2)], models: [.init("loud", times: 1)]),
    ])

  static func table(_ books: PriceBook...) throws -> PriceTable { try PriceTable.load(books) }

  @Test("what usage names is found, or the default, or it is refused")
  func choices() throws {
    let table = try PriceTableTests.table(PriceTableTests.first)
    let rows: [(Usage, Pricing)] = [
      (Usage("chat"), priced(1, row: 3)), (Usage("chat", model: "small"), priced(0.5, row: 1)),
      (Usage("chat", model: "default", tier: "default"), priced(1, row: 3)),
      (Usage("chat", model: "small", tier: "hard"), priced(1.5, row: 2)),
      (Usage("chat", tier: "hard"), priced(3, row: 4)), (Usage("chat", model: "large"), priced(2, row: 5)),
      (Usage("chat", units: ["input": 5, "output": 10]), priced(4.5, row: 3, 5, 10)),
      (Usage("chat", units: ["output": 10, "input": 0]), priced(4, row: 3, 0, 10)),
      (Usage("image"), priced(5, row: 7)), (Usage("speech", model: "loud", units: 3), priced(6, row: 8, 3)),
      (Usage("speech", model: "loud", units: ["second": 3]), priced(6, row: 8, 3)),
      (Usage("speech", model: "loud"), priced(0, row: 8)),
      (Usage("Chat"), .refused(.unknownFeature)), (Usage(""), .refused(.unknownFeature)),
      (Usage("chat", model: "huge"), .refused(.unknownModel)), (Usage("chat", model: ""), .refused(.unknownModel)),
      (Usage("speech"), .refused(.unknownModel)), (Usage("image", model: "small"), .refused(.unknownModel)),
      (Usage("chat", tier: "easy"), .refused(.unknownTier)), (Usage("image", tier: "hard"), .refused(.unknownTier)),
      (Usage("chat", units: 5), .refused(.unknownUnit)), (Usage("image", units: 1), .refused(.unknownUnit)),
      (Usage("chat", units: ["token": 5]), .refused(.unknownUnit)),
      (Usage("speech", model: "loud", units: ["": 3, "second": 3]), .refused(.unknownUnit)),
      (Usage("speech", model: "loud", units: .max), .refused(.outOfRange)),
    ]
    for (usage, pricing) in rows { #expect(table.price(usage, at: PriceTableTests.now) == pricing, "\(usage)") }
    #expect(PriceTable().price(Usage("chat"), at: PriceTableTests.now) == .refused(.noBook))
    #expect(Set(PriceRefusal.allCases.map(\.description)).count == 6)
    #expect(PriceRefusal.allCases.map(\.rawValue) == Array(1...6))
  }

  private func priced(_ amount: Amount, row: UInt32, _ counts: UInt64...) -> Pricing {
    .priced(
      Quote(
        amount: amount, version: 1, expires: PriceTableTests.now + .seconds(300), row: row,
        counts: PriceFormulaTests.counts(counts)))
  }

  @Test("every row of every version is found again by its number")
  func rows() throws {
    var second = PriceTableTests.first
    second.features.reverse()
    second.features[0].base = 9
    let table = try PriceTableTests.table(PriceTableTests.first, PriceBook("empty", features: []), second)
    #expect(table.versionCount == 3 && table.rowCount == 16 && table.books.map(\.name) == ["first", "empty", "first"])
    var names: [String] = []
    for row in 1...table.rowCount {
      let found = try #require(table.describe(row: row))
      names.append("\(found.feature) \(found.model ?? "-") \(found.tier ?? "-") \(found.units.joined(separator: "+"))")
      #expect(table.version(ofRow: row) == (row <= 8 ? 1 : 3))
      let counts = PriceFormulaTests.counts(found.units.map { _ in 10 })
      let breakdown = try #require(table.breakdown(row: row, counts: counts))
      #expect(breakdown.price == table.amount(row: row, counts: counts) && breakdown.version == (row <= 8 ? 1 : 3))
      let usage = try #require(Usage(row: row, counts: counts, in: table))
      #expect(usage.isSame(asRow: row, counts: counts, in: table))
      #expect(!Usage("other").isSame(asRow: row, counts: counts, in: table))
      if row > 8 {
        #expect(
          table.price(usage, at: PriceTableTests.now)
            == .priced(
              Quote(
                amount: breakdown.price, version: 3, expires: PriceTableTests.now + .seconds(300), row: row,
                counts: counts)))
      }
    }
    let chat = [
      "chat small - input+output", "chat small hard input+output", "chat - - input+output",
      "chat - hard input+output", "chat large - input+output", "chat large hard input+output",
    ]
    let others = ["image - - ", "speech loud - second"]
    #expect(names == chat + others + others.reversed() + chat)
    for row in [0, 17, UInt32.max] {
      #expect(table.describe(row: row) == nil && table.version(ofRow: row) == nil)
      #expect(table.amount(row: row, counts: Counts()) == nil && table.breakdown(row: row, counts: Counts()) == nil)
      #expect(Usage(row: row, counts: Counts(), in: table) == nil)
    }
  }

  @Test("the latest version whose time it is holds: from is inclusive, until is exclusive")
  func validity() throws {
    func book(_ from: Int64?, _ until: Int64?) -> PriceBook {
      PriceBook(
        "b", validFrom: from.map { Timestamp(seconds: $0) }, validUntil: until.map { Timestamp(seconds: $0) },
        features: [])
    }
    let table = try PriceTableTests.table(book(nil, 100), book(50, 60), book(60, nil), book(80, 90))
    for (second, version) in [(0, 1), (49, 1), (50, 2), (59, 2), (60, 3), (79, 3), (80, 4), (89, 4), (90, 3), (500, 3)]
    {
      #expect(table.version(at: Timestamp(seconds: Int64(second))) == UInt32(version), "second \(second)")
    }
    let later = try PriceTableTests.table(book(10, 20))
    #expect(later.version(at: Timestamp(seconds: 9)) == nil && later.version(at: Timestamp(seconds: 20)) == nil)
    #expect(later.price(Usage("f"), at: Timestamp(seconds: 20)) == .refused(.noBook))
  }

  @Test("a book that is refused leaves the table as it was")
  func refused() throws {
    let table = try PriceTableTests.table(PriceTableTests.first)
    var wrong = PriceTableTests.first
    wrong.rounding = 0
    #expect(throws: PricingError.self) { try table.appending(wrong) }
    #expect(throws: PricingError.self) { try PriceTable.load([PriceTableTests.first, wrong]) }
    #expect(table.versionCount == 1 && table.rowCount == 8)
  }

  // MARK: Breakdowns

  @Test("a breakdown tells the arithmetic in lines")
  func text() throws {
    var book = PriceBook(
      "July",
      features: [
        PriceBook.Feature(
          "chat", base: 0.1, rates: [.init(unit: "input", amount: 1, per: 3), .init(unit: "output", amount: 2)],
          models: [.init("large", times: 2.5)], tiers: [.init("default", times: 0.1)]),
        PriceBook.Feature("image", base: 5, maximum: 3), PriceBook.Feature("memo", base: 1, minimum: 2, maximum: 2),
      ])
    book.rounding = 0.01
    let table = try PriceTableTests.table(book)
    #expect(
      table.breakdown(row: 1, counts: PriceFormulaTests.counts([4, 1]))?.description == """
        chat, by version 1 of the price book, July
          base 0.1
          4 input at 1 per 3: 1.333333 + 1/3 millionths
          1 output at 2: 2
          sum 3.433333 + 1/3 millionths
          times 2.5 for model large
          times 0.1 for tier default
          product 0.858333333333333333…
          rounded up to a multiple of 0.01: 0.86
          price 0.86
        """)
    #expect(
      table.breakdown(row: 2, counts: Counts())?.description == """
        image, by version 1 of the price book, July
          base 5
          sum 5
          rounded up to a multiple of 0.01: 5
          lowered to the maximum 3
          price 3
        """)
    // The minimum is the maximum, too: what was below it was raised.
    #expect(table.breakdown(row: 3, counts: Counts())?.description.contains("raised to the minimum 2") == true)
  }

  @Test("the arithmetic of 1,000 random breakdowns adds up, as it is written")
  func sums() throws {
    var random = SplitMix64(seed: 3)
    for _ in 0..<1_000 {
      var feature = PriceBook.Feature("f", base: Amount(millionths: Int64(random.below(5_000_000))))
      for index in 0..<random.below(5) {
        feature.rates.append(
          .init(
            unit: "u\(index)", amount: Amount(millionths: Int64(random.below(9_000_000))),
            per: UInt32(1 + random.below(3_000))))
      }
      if random.once(in: 2) {
        feature.models = [.init("default", times: .init(millionths: Int64(random.below(3_000_000))))]
      }
      if random.once(in: 2) {
        feature.tiers = [.init("default", times: .init(millionths: Int64(random.below(3_000_000))))]
      }
      var book = PriceBook("b", features: [feature])
      book.rounding = Amount(millionths: Int64(1 + random.below(20_000)))
      let counts = PriceFormulaTests.counts((0..<4).map { _ in UInt64(random.below(100_000)) })
      let made = try PriceTableTests.table(book).breakdown(row: 1, counts: counts)
      let breakdown = try #require(made)
      var sum = try #require(BigFraction(breakdown: breakdown.base.description))
      for line in breakdown.lines {
        let cost = try #require(BigFraction(breakdown: line.cost))
        let whole = BigNatural(UInt64(line.amount.millionths)) * BigNatural(line.count)
        #expect(cost == BigFraction(whole, over: BigNatural(UInt64(line.per) * 1_000_000)))
        sum = sum + cost
      }
      #expect(BigFraction(breakdown: breakdown.sum) == sum, "\(breakdown)")
      let factors = [breakdown.model, breakdown.tier].compactMap { $0?.factor.millionths }
      var product = sum
      for factor in factors { product = product * BigFraction(BigNatural(UInt64(factor)), over: BigNatural(1_000_000)) }
      if breakdown.product.hasSuffix("…") {
        let cut = try #require(BigFraction(breakdown: String(breakdown.product.dropLast())))
        #expect(cut.numerator * product.denominator < product.numerator * cut.denominator, "\(breakdown)")
      } else {
        #expect(BigFraction(breakdown: breakdown.product) == product, "\(breakdown)")
      }
      let millionths = product * BigFraction(BigNatural(1_000_000))
      #expect(PriceFormulaTests.isRounded(breakdown.rounded, millionths, to: book.rounding), "\(breakdown)")
      #expect(breakdown.price == breakdown.rounded)
    }
  }

  // MARK: Usage

  @Test("usage leaves out what is zero and what is the default, and sorts its units")
  func usage() {
    let usage = Usage("chat", model: "default", tier: "hard", units: ["output": 2, "input": 1, "image": 0])
    #expect(usage == Usage("chat", tier: "hard", units: ["input": 1, "output": 2]))
    #expect(usage.description == "chat, tier hard, 1 input, 2 output")
    #expect(usage.units == ["input": 1, "output": 2] && usage.model == nil)
    #expect(Usage("chat", model: "large", units: 4_808).description == "chat, model large, 4808 units")
    #expect(Usage("chat", units: 5) == Usage("chat", units: ["": 5]) && Usage("chat", units: 5).units == ["": 5])
    #expect(Usage("chat") == Usage("chat", units: [:]))
  }

  @Test("usage that cannot be recorded is not valid")
  func valid() {
    let long = String(repeating: "x", count: 256)
    func units(_ count: Int) -> [String: UInt64] {
      Dictionary(uniqueKeysWithValues: (0..<count).map { ("u\($0)", 1) })
    }
    for usage in [
      Usage("f"), Usage(String(long.dropLast())), Usage("f", units: units(4)), Usage("f", units: .max),
      Usage("f", units: units(4).merging(["zero": 0]) { first, _ in first }),
    ] { #expect(usage.isValid, "\(usage)") }
    for usage in [
      Usage(""), Usage(long), Usage("f", model: ""), Usage("f", model: long), Usage("f", tier: ""),
      Usage("f", tier: long), Usage("f", units: [long: 1]), Usage("f", units: units(5)),
      Usage("f", units: units(4).merging(["": 1]) { first, _ in first }),
    ] { #expect(!usage.isValid, "\(usage)") }
  }
}
