import CreditsTesting
import Testing

@testable import Credits

@Suite("Price books")
struct PriceBookTests {
  /// A book with all that a book can have.
  static let sample = PriceBook(
    "Prices \"2026\"\n\u{1}größer", validFrom: Timestamp("2026-01-01T00:00:00.000001Z"), validUntil: .latest,
    quoteValidity: .seconds(600), rounding: 0.01,
    features: [
      PriceBook.Feature(
        "chat", base: 0.1,
        rates: [
          .init(unit: "input", amount: 0.5, per: 1000), .init(unit: "output", amount: 1.5, per: 1000),
        ],
        models: [.init("default", times: 1), .init("large", times: 2.5), .init("free", times: 0)],
        tiers: [.init("simple", times: 1), .init("hard", times: 1.5)], minimum: 0.02, maximum: 100),
      PriceBook.Feature("image", base: 5), PriceBook.Feature("free"),
      PriceBook.Feature("speech", rates: [.init(unit: "second", amount: .max, per: .max)], maximum: .max),
    ])

  static let text = Array(sample.json.utf8)

  @Test("a book is the same after it was written as JSON and read")
  func roundTrip() throws {
    #expect(try PriceBook(json: PriceBookTests.text) == PriceBookTests.sample)
    #expect(try PriceBook(json: PriceBookTests.text).json == PriceBookTests.sample.json)
    let empty = PriceBook("x", features: [])
    #expect(try PriceBook(json: empty.json.utf8) == empty)
  }

  @Test("what JSON leaves out has the values that the documentation says")
  func defaults() throws {
    let json = #"{"features": [{"rates": [{"amount": 2, "unit": "u"}], "name": "f"}], "name": "n"}"#
    #expect(
      try PriceBook(json: json.utf8)
        == PriceBook(
          "n", quoteValidity: .seconds(300), rounding: 0.000001,
          features: [PriceBook.Feature("f", rates: [.init(unit: "u", amount: 2, per: 1)])]))
  }

  @Test("random books are the same after they were written and read")
  func random() throws {
    var random = SplitMix64(seed: 5)
    func name() -> String {
      "n\(random.next() % 1_000_000_007)"
        + String((0..<random.below(5)).map { _ in random.pick(Array("\"\\/\n\t\u{0}\u{7F}é\u{1F600} {}[]:,")) })
    }
    func amount() -> Amount { Amount(millionths: Int64(random.next() >> UInt64(1 + random.below(60)))) }
    for _ in 0..<200 {
      var book = PriceBook(name(), features: [])
      if random.once(in: 2) { book.validFrom = Timestamp(microseconds: Int64(random.next() >> 15)) }
      if random.once(in: 2) { book.validUntil = .latest }
      book.quoteValidity = .seconds(1 + random.below(366 * 86_400))
      book.rounding = Amount(millionths: 1 + amount().millionths / 2)
      for _ in 0..<random.below(4) {
        var feature = PriceBook.Feature(name(), base: amount(), minimum: amount())
        if random.once(in: 2) { feature.maximum = .max }
        for _ in 0..<random.below(5) {
          feature.rates.append(
            .init(unit: name(), amount: amount(), per: max(1, UInt32(truncatingIfNeeded: random.next()))))
        }
        for _ in 0..<random.below(3) {
          feature.models.append(.init(name(), times: .init(millionths: amount().millionths)))
        }
        for _ in 0..<random.below(3) {
          feature.tiers.append(.init(name(), times: .init(millionths: amount().millionths)))
        }
        book.features.append(feature)
      }
      #expect(try PriceBook(json: book.json.utf8) == book)
    }
  }

  /// A change of a book that makes it wrong, where it is wrong, and part of what is said.
  struct Wrong: Sendable {
    let place: String
    let reason: String
    let change: @Sendable (inout PriceBook) -> Void
  }

  static let long = String(repeating: "x", count: 256)

  static let wrong: [Wrong] = [
    Wrong(place: "name", reason: "1 to 255 bytes") { $0.name = "" },
    Wrong(place: "name", reason: "256 bytes") { $0.name = long },
    Wrong(place: "validFrom", reason: "1970 to 9999") { $0.validFrom = Timestamp(microseconds: -1) },
    Wrong(place: "validUntil", reason: "1970 to 9999") { $0.validUntil = .never },
    Wrong(place: "validUntil", reason: "later time") { $0.validUntil = $0.validFrom },
    Wrong(place: "quoteSeconds", reason: "from 1 to 31622400") { $0.quoteValidity = .zero },
    Wrong(place: "quoteSeconds", reason: "whole seconds") { $0.quoteValidity = .milliseconds(1_500) },
    Wrong(place: "quoteSeconds", reason: "whole seconds") { $0.quoteValidity = .seconds(31_622_401) },
    Wrong(place: "quoteSeconds", reason: "whole seconds") { $0.quoteValidity = .seconds(-5) },
    Wrong(place: "rounding", reason: "at least 0.000001") { $0.rounding = 0 },
    Wrong(place: "rounding", reason: "at least 0.000001") { $0.rounding = -1 },
    Wrong(place: "features", reason: "keep it to 10000") {
      $0.features = (0...10_000).map { PriceBook.Feature("f\($0)") }
    },
    Wrong(place: "features[1].name", reason: "its own name") { $0.features[1].name = "chat" },
    Wrong(place: "features[2].name", reason: "1 to 255 bytes") { $0.features[2].name = "" },
    Wrong(place: "features[0].base", reason: "0 or more") { $0.features[0].base = -0.000001 },
    Wrong(place: "features[0].minimum", reason: "0 or more") { $0.features[0].minimum = -1 },
    Wrong(place: "features[0].maximum", reason: "raise it") { $0.features[0].maximum = 0.01 },
    Wrong(place: "features[1].maximum", reason: "raise it") { $0.features[1].maximum = -1 },
    Wrong(place: "features[0].rates", reason: "keep it to 4") {
      $0.features[0].rates = (0..<5).map { .init(unit: "u\($0)", amount: 1) }
    },
    Wrong(place: "features[0].rates[1].unit", reason: "its own name") { $0.features[0].rates[1].unit = "input" },
    Wrong(place: "features[0].rates[0].unit", reason: "1 to 255 bytes") { $0.features[0].rates[0].unit = "" },
    Wrong(place: "features[0].rates[1].amount", reason: "0 or more") { $0.features[0].rates[1].amount = -1 },
    Wrong(place: "features[0].rates[1].per", reason: "1 or more") { $0.features[0].rates[1].per = 0 },
    Wrong(place: "features[0].models", reason: "keep it to 1000") {
      $0.features[0].models = (0...1_000).map { .init("m\($0)", times: 1) }
    },
    Wrong(place: "features[0].tiers", reason: "keep it to 1000") {
      $0.features[0].tiers = (0...1_000).map { .init("t\($0)", times: 1) }
    },
    Wrong(place: "features[0].models[2]", reason: "its own name") { $0.features[0].models[2].name = "large" },
    Wrong(place: "features[0].tiers[0]", reason: "1 to 255 bytes") { $0.features[0].tiers[0].name = "" },
    Wrong(place: "features[0].models.large", reason: "0 or more") { $0.features[0].models[1].factor = -1 },
    Wrong(place: "features[0].tiers.hard", reason: "0 or more") { $0.features[0].tiers[1].factor = -0.5 },
    Wrong(place: "features[1]", reason: "split the book") { book in
      let choices = (0..<1_000).map { PriceBook.Choice("c\($0)", times: 1) }
      book.features = [
        PriceBook.Feature("a", models: choices, tiers: choices), PriceBook.Feature("b"),
      ]
    },
    Wrong(place: "", reason: "1 MiB") { book in
      book.features = (0..<10_000).map { PriceBook.Feature("\($0)" + String(repeating: "x", count: 100)) }
    },
  ]

  @Test("a book that is not in order is refused, with the place and what to do", arguments: wrong.indices)
  func checks(_ index: Int) throws {
    let row = PriceBookTests.wrong[index]
    var book = PriceBookTests.sample
    try book.check()
    row.change(&book)
    let error = #expect(throws: PricingError.self) { try book.check() }
    #expect(error?.place == row.place)
    #expect(error?.reason.contains(row.reason) == true, "\(error?.reason ?? "")")
    #expect(throws: try #require(error)) { try PriceTable().appending(book) }
    // What is not in order in itself is refused as JSON, too, unless it cannot be written so.
    if error?.place != "quoteSeconds" { #expect(throws: PricingError.self) { try PriceBook(json: book.json.utf8) } }
  }

  /// JSON that is refused: in place of a feature's text, or whole.
  static let refusals: [(json: String, error: String)] = [
    (#"{"features": []}"#, "name: missing; add it"),
    (#"{"name": "n"}"#, "features: missing; add it"),
    (#"{"name": 5, "features": []}"#, "name: a number is here where a string should be"),
    (#"{"name": "n", "features": {}}"#, "features: an object is here where a list should be"),
    (#"{"name": "n", "features": [], "validFrom": "yesterday"}"#, "validFrom: \"yesterday\" is no time"),
    (#"{"name": "n", "features": [], "quoteSeconds": 1.5}"#, "quoteSeconds: 1.5 is not a whole number"),
    (#"{"name": "n", "features": [], "quoteSeconds": -1}"#, "quoteSeconds: -1 is not a whole number"),
    (#"{"name": "n", "features": [], "quoteSeconds": 4294967296}"#, "quoteSeconds: 4294967296 is not"),
    (#"{"name": "n", "features": [], "quoteSeconds": "300"}"#, "quoteSeconds: a string is here where a whole number"),
    (#"{"name": "n", "features": [], "rounding": "0.0000001"}"#, "rounding: \"0.0000001\" is no amount"),
    (#"{"name": "n", "features": [], "rounding": 0.01}"#, "rounding: 0.01 is no whole number; write it in quotes"),
    (#"{"name": "n", "features": [], "rounding": 1e2}"#, "rounding: 1e2 is no whole number"),
    (#"{"name": "n", "features": [], "rounding": 9223372036855}"#, "rounding: 9223372036855 is too large"),
    (#"{"name": "n", "features": [], "rounding": null}"#, "rounding: null is here where an amount"),
    (#"{"name": "n", "features": [], "colour": 1}"#, "colour: the key is unknown"),
    (#"{"name": "n", "features": [], "name": "m"}"#, "the key \"name\" is there twice"),
    (#"{"name": "n", "features": [7]}"#, "features[0]: a number is here where an object should be"),
    (#"{"name": "n", "features": [{}]}"#, "features[0].name: missing; add it"),
    (#"{"name": "n", "features": [{"name": "f", "price": 1}]}"#, "features[0].price: the key is unknown"),
    (#"{"name": "n", "features": [{"name": "f", "rates": [{}]}]}"#, "features[0].rates[0].unit: missing"),
    (#"{"name": "n", "features": [{"name": "f", "rates": [{"unit": "u"}]}]}"#, "features[0].rates[0].amount: missing"),
    (
      #"{"name": "n", "features": [{"name": "f", "rates": [{"unit": "u", "amount": 1, "per": 0}]}]}"#,
      "features[0].rates[0].per: give 1 or more"
    ),
    (#"{"name": "n", "features": [{"name": "f", "models": []}]}"#, "features[0].models: a list is here"),
    (#"{"name": "n", "features": [{"name": "f", "models": {"a b": true}}]}"#, "features[0].models.a b: a truth value"),
    (#"{"name": "n", "features": [{"name": "f", "models": {"a": "x"}}]}"#, "features[0].models.a: \"x\" is no amount"),
    (#"{"name": "n", "features": [{"name": "f", "tiers": {"a": 1, "a": 2}}]}"#, "features[0].tiers: the key \"a\" is"),
    ("[]", "a list is here where an object should be"), ("null", "null is here where an object should be"),
    ("", "line 1, column 1: no JSON: a value should be here, not the end"),
    ("{\n  \"name\" 5}", "line 2, column 10: no JSON: a colon should be here, not \"5\""),
    (#"{"a": 1,}"#, "line 1, column 9: no JSON: a key in quotes should be here"),
    (#"{"a": 1 "b": 2}"#, "column 9: no JSON: a comma or }"), ("[1 2]", "a comma or ]"),
    ("{} {}", "line 1, column 4: no JSON: the end of the text should be here"), (#"{"a"}"#, "a colon"),
    ("tru", "a value should be here"), ("nul", "a value"), ("falsch", "a value"), ("-", "a digit should be here"),
    ("01", "the end of the text"), ("1.", "a digit"), ("1e", "a digit"), ("+1", "a value"), (".5", "a value"),
    ("NaN", "a value"), ("'a'", "a value"), ("\u{FEFF}{}", "a value"), ("\"a", "the string does not end"),
    ("\"a\u{1}\"", "column 3: a control character in a string; escape it"), ("\"\n\"", "a control character"),
    (#""\x""#, "an escape such as"), (#""\u12g4""#, "four hexadecimal digits"), (#""\u12"#, "four hexadecimal digits"),
    (#""\ud800""#, "half of a surrogate pair"), (#""\udc00""#, "half of a surrogate pair"),
    (#""\ud800\ud800""#, "half of a surrogate pair"), (#""\ud800x""#, "half of a surrogate pair"),
    (#""\ud83d\n""#, "half of a surrogate pair"), (#""\"#, "an escape such as"),
    (String(repeating: "[", count: 17), "nested deeper than 16 levels"),
    (String(repeating: "[", count: 100_000), "nested deeper than 16 levels"),
    (String(repeating: #"{"a":"#, count: 100_000), "nested deeper than 16 levels"),
    (String(repeating: " ", count: 1 << 20) + " ", "keep it to 1048576 (1 MiB)"),
  ]

  @Test("JSON that is none, or no book, is refused with the place and what to do", arguments: refusals.indices)
  func jsonRefusals(_ index: Int) {
    let row = PriceBookTests.refusals[index]
    let error = #expect(throws: PricingError.self) { try PriceBook(json: row.json.utf8) }
    #expect(error?.description.contains(row.error) == true, "\(error?.description ?? "")")
    #expect((error?.description.utf8.count ?? 0) < 300, "a message is short, whatever the text")
  }

  @Test("bytes that are no UTF-8 are refused")
  func encoding() {
    for bytes: [UInt8] in [[0x80], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xFF]] {
      let text = Array(#"{"name": ""#.utf8) + bytes + Array(#"", "features": []}"#.utf8)
      let error = #expect(throws: PricingError.self) { try PriceBook(json: text) }
      #expect(error?.reason.contains("UTF-8") == true)
    }
  }

  @Test("escapes and surrogate pairs are read as the characters they mean")
  func escapes() throws {
    let json = #"{"name": "\u0041\u00e9\ud83d\uDE00\b\f\n\r\t\"\\\/\u0000", "features": []}"#
    #expect(try PriceBook(json: json.utf8).name == "Aé\u{1F600}\u{8}\u{C}\n\r\t\"\\/\u{0}")
  }

  @Test("a number of a hundred thousand digits is refused in a short message")
  func longNumbers() {
    for key in ["quoteSeconds", "rounding"] {
      let json = "{\"name\": \"n\", \"features\": [], \"\(key)\": \(String(repeating: "9", count: 100_000))}"
      let error = #expect(throws: PricingError.self) { try PriceBook(json: json.utf8) }
      #expect(error?.place == key && (error?.reason.utf8.count ?? 0) < 300)
    }
  }

  /// Once, a key was looked for among the others however long it was: that sorts the accents of every letter, in time
  /// that grows with the square of their number. A book of nothing but accents took minutes.
  @Test("a key longer than a name can be is refused where it begins", arguments: [256, 1_000_000])
  func longKeys(length: Int) {
    for key in [String(repeating: "x", count: length), String(repeating: "\u{301}\u{323}", count: length / 4)] {
      do throws(PricingError) {
        _ = try PriceBook(json: "{\"name\": \"x\",\n \"\(key)\": 1}".utf8)
        Issue.record("the book was read")
      } catch {
        #expect(error.place == "line 2, column 2" && error.reason == "the key has \(length) bytes; keep it to 255")
      }
    }
  }

  @Test("a book that is cut off anywhere is refused")
  func truncation() {
    for count in 0..<PriceBookTests.text.count {
      #expect(throws: PricingError.self) { try PriceBook(json: PriceBookTests.text[..<count]) }
    }
  }

  @Test("5,000 books with changed bytes are refused or read; none ends the program")
  func mutations() {
    var random = SplitMix64(seed: 6)
    var read = 0
    for _ in 0..<5_000 {
      var text = PriceBookTests.text
      for _ in 0...random.below(3) {
        let place = random.below(text.count)
        switch random.below(4) {
        case 0: text[place] = UInt8(random.below(256))
        case 1: text.remove(at: place)
        case 2: text.insert(random.pick(Array("\"\\{}[],:0-.eu".utf8)), at: place)
        default: text.swapAt(place, random.below(text.count))
        }
      }
      guard let book = try? PriceBook(json: text) else { continue }
      read += 1
      if (try? PriceBook(json: book.json.utf8)) != book { Issue.record("\(book.json)") }
    }
    #expect(read > 200)
  }
}
