import Credits

/// An example of a price book, to be printed and changed.
enum ExampleBook {
  static let book = PriceBook(
    "example", rounding: 0.0001,
    features: [
      PriceBook.Feature(
        "chat",
        rates: [
          PriceBook.Rate(unit: "context", amount: 0.5, per: 1_000),
          PriceBook.Rate(unit: "generated", amount: 2, per: 1_000),
        ],
        models: [
          PriceBook.Choice("default", times: 1), PriceBook.Choice("small", times: 0.25),
          PriceBook.Choice("large", times: 4),
        ],
        minimum: 0.01),
      PriceBook.Feature(
        "code",
        rates: [
          PriceBook.Rate(unit: "context", amount: 0.75, per: 1_000),
          PriceBook.Rate(unit: "generated", amount: 3, per: 1_000),
        ],
        models: [PriceBook.Choice("default", times: 1), PriceBook.Choice("large", times: 3)],
        tiers: [PriceBook.Choice("default", times: 1), PriceBook.Choice("complex", times: 1.5)],
        minimum: 0.01),
      PriceBook.Feature(
        "image", rates: [PriceBook.Rate(unit: "image", amount: 4)],
        tiers: [PriceBook.Choice("default", times: 1), PriceBook.Choice("hd", times: 2.5)]),
      PriceBook.Feature(
        "speech", base: 0.05, rates: [PriceBook.Rate(unit: "second", amount: 0.3, per: 60)], maximum: 50),
    ])
}
