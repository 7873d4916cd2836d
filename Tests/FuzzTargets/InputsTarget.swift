internal import Credits
internal import CreditsTesting
internal import Glibc
internal import creditctl

/// Texts that people and programs give: they are refused in a sentence, or read as what they say.
enum InputsTarget {
  static func run(_ input: [UInt8]) throws {
    guard let mode = input.first else { return }
    let bytes = Array(input.dropFirst())
    switch mode % 6 {
    case 0: try takeAsBook(bytes)
    case 1: try takeAsCatalogue(bytes)
    case 2: try takeAsUsageLog(bytes)
    case 3: try takeAsText(String(decoding: bytes, as: UTF8.self))
    case 4: try takeAsArguments(bytes)
    default: try takeAsNumbers(Choices(bytes: bytes))
    }
  }

  /// The most bytes of a message, apart from what it quotes of the input's names.
  private static let longestMessage = 4_096

  /// Demands that a refusal says something, and not too much.
  private static func demandSentence(_ error: PricingError) throws {
    let length = error.description.utf8.count
    try demand((1...longestMessage).contains(length), "an error has \(length) bytes: \(error)")
  }

  // MARK: Prices

  private static func takeAsBook(_ bytes: [UInt8]) throws {
    let book: PriceBook
    do throws(PricingError) { book = try PriceBook(json: bytes) } catch {
      return try demandSentence(error)
    }
    let text = book.json
    let again: PriceBook
    do throws(PricingError) { again = try PriceBook(json: text.utf8) } catch {
      throw Finding(description: "a book is not read as it was written: \(error)\n\(text)")
    }
    try demand(again == book, "a book reads as another one: \(text)")
    try demand(again.json == text, "a book is written in two ways: \(text)")
    let table: PriceTable
    do throws(PricingError) { table = try PriceTable().appending(book) } catch {
      throw Finding(description: "a book that was read cannot be published: \(error)")
    }
    let now = book.validFrom ?? .zero
    for feature in book.features.prefix(8) {
      for counts: [UInt64] in [[], [1, 1, 1, 1], [4_808, 10, 3, 7], [.max, .max, .max, .max]] {
        let units = Dictionary(zip(feature.rates.map(\.unit), counts)) { first, _ in first }
        try price(
          Usage(feature.name, model: feature.models.last?.name, tier: feature.tiers.last?.name, units: units), feature,
          at: now, in: table)
      }
    }
    _ = table.price(Usage("no such feature", units: 1), at: now)
  }

  private static func price(_ usage: Usage, _ feature: PriceBook.Feature, at now: Timestamp, in table: PriceTable)
    throws
  {
    guard case .priced(let quote) = table.price(usage, at: now) else { return }
    try demand(quote.amount >= feature.minimum, "\(usage) costs \(quote.amount), less than the minimum")
    if let maximum = feature.maximum { try demand(quote.amount <= maximum, "\(usage) costs more than the maximum") }
    let amount = table.amount(row: quote.row, counts: quote.counts)
    try demand(
      amount == quote.amount, "\(usage) costs \(quote.amount), and by its row \(amount?.description ?? "none")")
    let breakdown = table.breakdown(row: quote.row, counts: quote.counts)
    try demand(breakdown != nil, "the price of \(usage) cannot be explained")
  }

  private static func takeAsCatalogue(_ bytes: [UInt8]) throws {
    let catalogue: Catalogue
    do throws(PricingError) { catalogue = try Catalogue(json: bytes) } catch {
      return try demandSentence(error)
    }
    let text = catalogue.json
    let again = try? Catalogue(json: text.utf8)
    try demand(again == catalogue && again?.json == text, "a catalogue reads as another one: \(text)")
    let prices = catalogue.packs.map(\.price.minor) + [0, 1, -1, .max, .min, catalogue.custom?.least.minor ?? 1]
    let currency = catalogue.custom?.rate.price.currency ?? .usd
    let offers =
      prices.map { Offer.money(Money($0, currency)) }
      + catalogue.packs.prefix(8).flatMap { [Offer.pack($0.credits), .credits($0.credits)] }
      + [0, 1, -1, .max, .min].map { Offer.credits(Amount(millionths: $0)) }
    for offer in offers {
      do throws(CatalogueError) {
        let pack = try catalogue.price(of: offer)
        switch offer {
        case .pack(let credits), .credits(let credits):
          try demandOrTrap(pack.credits == credits, "\(offer) is sold as \(pack)")
        case .money(let money): try demandOrTrap(pack.price == money, "\(offer) is sold as \(pack)")
        }
        guard let rate = catalogue.custom?.rate, !catalogue.packs.contains(pack) else { continue }
        let isExact =
          Int128(pack.credits.millionths) * Int128(rate.price.minor)
          == Int128(rate.credits.millionths) * Int128(pack.price.minor)
        try demandOrTrap(isExact, "\(offer) is sold as \(pack), which is not the rate \(rate)")
      } catch { _ = error.description }
    }
  }

  /// Ends the process unless something is as it should be: where only another kind of error may be thrown.
  private static func demandOrTrap(_ isTrue: Bool, _ finding: @autoclosure () -> String) throws(CatalogueError) {
    precondition(isTrue, finding())
  }

  // MARK: Usage logs

  /// A file of this process, written anew for every input.
  private static let place = TemporaryStore()

  private static func takeAsUsageLog(_ bytes: [UInt8]) throws {
    let (lines, complaint) = try read(bytes)
    if let complaint {
      try demand(complaint.utf8.count < 1_024, "a complaint has \(complaint.utf8.count) bytes: \(complaint)")
    }
    try demand(lines.count <= bytes.count / 4 + 1, "\(lines.count) lines are read from \(bytes.count) bytes")
    let plain = lines.filter { line in
      line.time.map { $0 <= .latest } ?? false
        && (line.feature ?? "x").utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != 34 && $0 != 44 && $0 != 92 }
    }
    guard !plain.isEmpty else { return }
    let columns = "TIMESTAMP,ContextTokens,GeneratedTokens,Feature\n"
    let csv = plain.map { "\($0.time ?? .zero),\($0.context),\($0.generated),\($0.feature ?? "chat")" }
    try demandSame(plain, try read(Array((columns + csv.joined(separator: "\r\n")).utf8)).lines)
    let json = plain.map { line in
      #"{"TIMESTAMP":"\#(line.time ?? .zero)","ContextTokens":"\#(line.context)","GeneratedTokens":\#(line.generated)"#
        + #","Feature":"\#(line.feature ?? "chat")"}"#
    }
    try demandSame(plain, try read(Array(json.joined(separator: "\n").utf8)).lines)
  }

  private static func demandSame(_ lines: [UsageLine], _ found: [UsageLine]) throws {
    let expected = lines.map { line in
      var line = line
      line.feature = line.feature ?? "chat"
      return line
    }
    try demand(found == expected, "the lines \(expected.prefix(4)) read as \(found.prefix(4))")
  }

  private static func read(_ bytes: [UInt8]) throws -> (lines: [UsageLine], complaint: String?) {
    let path = place.place("usage")
    // Safe: the path is a terminated string that outlives the calls, and the count is the array's own.
    guard let file = unsafe fopen(path, "w") else { throw Finding(description: "\(path) cannot be written") }
    unsafe fwrite(bytes, 1, bytes.count, file)
    unsafe fclose(file)
    return Program.readUsage(path)
  }

  // MARK: Words

  private static func takeAsText(_ text: String) throws {
    if let amount = Amount(text) {
      try demand(Amount(amount.description) == amount, "\(text) reads as \(amount), which does not read as itself")
      if Canary.isPlanted { try demand(amount.millionths / 10_000 % 100 != 77, "the planted mistake is found") }
    }
    if let money = Money(text) { try demand(Money(money.description) == money, "\(text) reads as \(money)") }
    if let currency = Currency(text) { try demand(currency.description == text, "\(text) reads as \(currency)") }
    if let time = Timestamp(text) {
      try demand(Timestamp(time.description) == time, "\(text) reads as \(time), which does not read as itself")
      try demand(time <= .latest, "\(text) is later than the latest time")
    }
    if let factor = Multiplier(text) {
      try demand(Multiplier(factor.description) == factor, "\(text) reads as \(factor)")
    }
    if let id = AccountID(uuid: text) {
      try demand(id.description == text.lowercased(), "\(text) reads as \(id)")
      try demand(RequestID(uuid: text)?.description == id.description, "\(text) reads in two ways")
    }
    _ = (AccountID(text), RequestID(text).time)
    if let duration = Duration(argument: text) {
      try demand(duration >= .zero && duration < .seconds(1_000_000_000 * 604_800), "\(text) lasts \(duration)")
      try demand(AccountLife.start + duration >= AccountLife.start, "\(text) from now is before now")
    }
    if looksLikeCardNumber(text) {
      try demand(text.utf8.count { $0 >= 48 && $0 <= 57 } >= 12, "\(text) is taken for a card number")
    }
  }

  private static func takeAsNumbers(_ choices: Choices) throws {
    var choices = choices
    while !choices.isAtEnd {
      let word = Int64(truncatingIfNeeded: choices.next())
      let amount = Amount(millionths: word)
      try demand(Amount(amount.description) == amount, "the amount of \(word) millionths is written as \(amount)")
      let codes = (0..<3).map { _ in UInt32(65 + choices.below(26)) }
      if let currency = Currency(code: codes.reduce(0) { $0 << 8 | $1 }) {
        for currency in [currency, .usd, Currency("JPY"), Currency("KWD"), Currency("CLF")].compactMap({ $0 }) {
          let money = Money(word, currency)
          try demand(Money(money.description) == money, "\(word) in \(currency) is written as \(money)")
        }
      }
      let time = Timestamp(microseconds: word)
      let text = time.description
      if time <= .latest, time >= Timestamp(seconds: -62_167_219_200) {
        try demand(Timestamp(text) == time, "the time \(word) is written as \(text)")
      }
      let id = RequestID(high: UInt64(bitPattern: word), low: choices.next())
      try demand(RequestID(uuid: id.description) == id, "an id is written as \(id)")
      for period in Period.allCases {
        let index = period.index(at: time, from: Timestamp(microseconds: Int64(truncatingIfNeeded: id.low)))
        _ = period.boundary(index, from: time)
      }
    }
  }

  // MARK: Arguments

  /// Words between zeros or new lines; none of them is followed into a file.
  private static func takeAsArguments(_ bytes: [UInt8]) throws {
    let words = bytes.split(omittingEmptySubsequences: false) { $0 == 0 || $0 == 10 }
    let arguments = words.prefix(40).map { String(decoding: $0, as: UTF8.self) }
    guard let complaint = Program.complaint(about: arguments) else { return }
    // A page of help, and what was given.
    let most = 16_384 + 8 * bytes.count
    try demand(complaint.utf8.count <= most, "\(arguments) gives a text of \(complaint.utf8.count) bytes")
  }
}
