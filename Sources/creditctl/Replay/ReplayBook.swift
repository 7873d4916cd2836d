import Credits

/// The small price book that a replay publishes where it is given none and the store has none.
enum ReplayBook {
  /// The feature of lines that name none, in logs whose files are called after none.
  static let standardFeature = "chat"

  /// The units of a line.
  static let (context, generated) = ("context", "generated")

  /// The credits for 1,000 context tokens, and for 1,000 generated ones, where no others are given.
  static let standardRates: (context: Amount, generated: Amount) = (1, 3)

  /// A book with the features `code` and `chat`, which cost the same.
  static func book(context: Amount, generated: Amount) -> PriceBook {
    let rates = [
      PriceBook.Rate(unit: Self.context, amount: context, per: 1_000),
      PriceBook.Rate(unit: Self.generated, amount: generated, per: 1_000),
    ]
    return PriceBook(
      "creditctl replay",
      features: ["code", standardFeature].map { PriceBook.Feature($0, rates: rates) })
  }

  /// The feature of a file: the letters and digits that its name begins with, if that is a feature of the book, and
  /// else `chat`.
  static func feature(ofFile path: String, in book: PriceBook) -> String {
    let file = path.split(separator: "/").last ?? ""
    let name = String(file.prefix { $0.isASCII && ($0.isLetter || $0.isNumber) }).lowercased()
    return book.features.contains { $0.name == name } ? name : standardFeature
  }
}
