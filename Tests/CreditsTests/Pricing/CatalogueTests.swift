import Testing

@testable import Credits

@Suite("The catalogue")
struct CatalogueTests {
  static func pack(_ credits: Amount, _ cents: Int64, _ currency: Currency = .usd) -> Pack {
    Pack(credits: credits, price: Money(cents, currency))
  }

  @Test("20 dollars buy 500 credits, 100 buy 2,500, 500 buy 12,500")
  func packs() throws {
    for (credits, cents) in [(500, 20_00), (2_500, 100_00), (12_500, 500_00)] as [(Amount, Int64)] {
      #expect(try Catalogue.standard.price(of: .pack(credits)) == CatalogueTests.pack(credits, cents))
      // All at one rate: the custom amount costs the same.
      #expect(try Catalogue.standard.price(of: .credits(credits)) == CatalogueTests.pack(credits, cents))
      #expect(try Catalogue.standard.price(of: .money(Money(cents, .usd))) == CatalogueTests.pack(credits, cents))
    }
    #expect(Catalogue.standard.packs.count == 3)
  }

  @Test("custom amounts are exact to the cent, and their inverse")
  func custom() throws {
    for cents in stride(from: Int64(100), through: 1_000_000, by: 37) {
      let pack = try Catalogue.standard.price(of: .money(Money(cents, .usd)))
      #expect(pack == CatalogueTests.pack(Amount(millionths: cents * 250_000), cents))
      #expect(try Catalogue.standard.price(of: .credits(pack.credits)) == pack)
    }
  }

  static let refusals: [(Offer, CatalogueError, String)] = [
    (.pack(501), .unknownPack(501, known: [500, 2_500, 12_500]), "choose one of 500, 2500, 12500"),
    (.pack(0), .unknownPack(0, known: [500, 2_500, 12_500]), "no pack of 0 credits"),
    (.credits(24.999999), .belowLeast(pack(25, 1_00)), "choose at least 25 credits for 1.00 USD"),
    (.credits(0), .belowLeast(pack(25, 1_00)), "at least"), (.credits(-25), .belowLeast(pack(25, 1_00)), "at least"),
    (.credits(250_000.000001), .aboveMost(pack(250_000, 10_000_00)), "choose at most 250000 credits"),
    (.credits(.max), .aboveMost(pack(250_000, 10_000_00)), "at most"),
    (
      .credits(25.1), .notExact(below: pack(25, 1_00), above: pack(25.25, 1_01)),
      "choose 25 credits for 1.00 USD or 25.25 credits for 1.01 USD"
    ),
    (.credits(249_999.999999), .notExact(below: pack(249_999.75, 9_999_99), above: pack(250_000, 10_000_00)), "or"),
    (.money(Money(99, .usd)), .belowLeast(pack(25, 1_00)), "at least"),
    (.money(Money(.min, .usd)), .belowLeast(pack(25, 1_00)), "at least"),
    (.money(Money(.max, .usd)), .aboveMost(pack(250_000, 10_000_00)), "at most"),
    (.money(Money(20_00, .eur)), .wrongCurrency(.usd), "pay in USD"),
  ]

  @Test("what is not for sale is refused, and what to choose is named", arguments: refusals.indices)
  func refused(_ index: Int) {
    let (offer, error, text) = CatalogueTests.refusals[index]
    #expect(throws: error) { try Catalogue.standard.price(of: offer) }
    #expect(error.description.contains(text), "\(error)")
  }

  @Test("a rate with an awkward proportion sells its whole multiples only")
  func awkward() throws {
    let rate = CatalogueTests.pack(7, 3_00)
    let catalogue = try Catalogue(
      packs: [], custom: .init(rate: rate, least: Money(3, .usd), most: Money(3_000_00, .usd)))
    // 7 credits for 300 cents are 70,000 millionths for 3 cents.
    #expect(try catalogue.price(of: .money(Money(3, .usd))) == CatalogueTests.pack(0.07, 3))
    #expect(
      throws: CatalogueError.notExact(below: CatalogueTests.pack(0.07, 3), above: CatalogueTests.pack(0.14, 6))
    ) { try catalogue.price(of: .money(Money(5, .usd))) }
    #expect(
      throws: CatalogueError.notExact(below: CatalogueTests.pack(0.98, 42), above: CatalogueTests.pack(1.05, 45))
    ) { try catalogue.price(of: .credits(1)) }
    #expect(throws: CatalogueError.unknownPack(1, known: [])) { try catalogue.price(of: .pack(1)) }
  }

  @Test("a catalogue of packs alone sells no custom amounts")
  func packsAlone() throws {
    let catalogue = try Catalogue(packs: [CatalogueTests.pack(5, 1_00)], custom: nil)
    #expect(throws: CatalogueError.noCustomAmounts) { try catalogue.price(of: .credits(5)) }
    #expect(throws: CatalogueError.noCustomAmounts) { try catalogue.price(of: .money(Money(1_00, .usd))) }
  }

  static let custom = Catalogue.Custom(rate: pack(25, 1_00), least: Money(1_00, .usd), most: Money(2_00, .usd))

  struct Wrong: Sendable {
    let place: String
    let reason: String
    var packs = [pack(500, 20_00)]
    var custom: Catalogue.Custom? = CatalogueTests.custom
  }

  static let wrong: [Wrong] = [
    Wrong(place: "packs", reason: "keep it to 1000", packs: (1...1_001).map { pack(Amount(millionths: $0), 1) }),
    Wrong(place: "packs[0].credits", reason: "more than 0", packs: [pack(0, 1)]),
    Wrong(place: "packs[0].credits", reason: "more than 0", packs: [pack(-1, 1)]),
    Wrong(place: "packs[1].price", reason: "not positive", packs: [pack(1, 1), pack(2, 0)]),
    Wrong(place: "packs[1].price", reason: "another currency", packs: [pack(1, 1), pack(2, 1, .eur)]),
    Wrong(place: "packs[1].credits", reason: "make them differ", packs: [pack(1, 1), pack(1, 2)]),
    Wrong(
      place: "custom.rate.price", reason: "another currency",
      custom: .init(rate: pack(25, 1_00, .eur), least: Money(1, .eur), most: Money(2, .eur))),
    Wrong(
      place: "custom.rate.credits", reason: "more than 0",
      custom: .init(rate: pack(0, 1_00), least: Money(1, .usd), most: Money(2, .usd))),
    Wrong(
      place: "custom.rate.price", reason: "not positive",
      custom: .init(rate: pack(1, -1), least: Money(1, .usd), most: Money(2, .usd))),
    Wrong(
      place: "custom.least", reason: "not positive",
      custom: .init(rate: pack(25, 1_00), least: Money(0, .usd), most: Money(2, .usd))),
    Wrong(
      place: "custom.least", reason: "another currency",
      custom: .init(rate: pack(25, 1_00), least: Money(1_00, .gbp), most: Money(2_00, .usd))),
    Wrong(
      place: "custom.most", reason: "multiple of its step",
      custom: .init(rate: pack(0.000007, 3), least: Money(3, .usd), most: Money(4, .usd))),
    Wrong(
      place: "custom.most", reason: "multiple of its step",
      custom: .init(rate: pack(.max, 1), least: Money(1, .usd), most: Money(2, .usd))),
    Wrong(
      place: "custom.most", reason: "raise it",
      custom: .init(rate: pack(25, 1_00), least: Money(2_00, .usd), most: Money(1_00, .usd))),
  ]

  @Test("a catalogue that is not in order is refused, with the place and what to do", arguments: wrong.indices)
  func checks(_ index: Int) {
    let row = CatalogueTests.wrong[index]
    let error = #expect(throws: PricingError.self) { try Catalogue(packs: row.packs, custom: row.custom) }
    #expect(error?.place == row.place && error?.reason.contains(row.reason) == true, "\(error?.description ?? "")")
  }

  @Test("a catalogue is the same after it was written as JSON and read")
  func roundTrip() throws {
    for catalogue in [
      Catalogue.standard, try Catalogue(packs: [], custom: nil),
      try Catalogue(packs: [], custom: CatalogueTests.custom),
      try Catalogue(packs: [CatalogueTests.pack(0.000001, 1)], custom: nil),
    ] {
      #expect(try Catalogue(json: catalogue.json.utf8) == catalogue)
    }
    let text = Array(Catalogue.standard.json.utf8)
    for count in 0..<text.count { #expect(throws: PricingError.self) { try Catalogue(json: text[..<count]) } }
  }

  static let jsonRefusals: [(json: String, error: String)] = [
    ("{}", "packs: missing; add it"), (#"{"packs": [1]}"#, "packs[0]: a number is here"),
    (#"{"packs": [{"credits": 1}]}"#, "packs[0].price: missing"),
    (#"{"packs": [{"credits": 1, "price": "1 USD"}]}"#, "packs[0].price: \"1 USD\" is no money; write it as 20.00 USD"),
    (#"{"packs": [{"credits": 1, "price": 1}]}"#, "packs[0].price: a number is here where a string should be"),
    (#"{"packs": [], "sale": {}}"#, "sale: the key is unknown"),
    (#"{"packs": [], "custom": {}}"#, "custom.rate: missing"),
    (
      #"{"packs": [], "custom": {"rate": {"credits": 1, "price": "1.00 USD"}, "least": "1.00 USD"}}"#,
      "custom.most: missing"
    ),
  ]

  @Test("JSON that is no catalogue is refused", arguments: jsonRefusals.indices)
  func json(_ index: Int) {
    let row = CatalogueTests.jsonRefusals[index]
    let error = #expect(throws: PricingError.self) { try Catalogue(json: row.json.utf8) }
    #expect(error?.description.contains(row.error) == true, "\(error?.description ?? "")")
  }
}
