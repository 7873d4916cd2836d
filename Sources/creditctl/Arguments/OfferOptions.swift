public import ArgumentParser
public import Credits

/// The options that say what to buy.
struct OfferOptions: ParsableArguments {
  @Option(name: .long, help: ArgumentHelp("Buy the pack with so many credits.", valueName: "credits"))
  var pack: PositiveAmount?

  @Option(name: .long, help: ArgumentHelp("Buy a custom number of credits.", valueName: "credits"))
  var credits: PositiveAmount?

  @Option(name: .long, help: ArgumentHelp("Buy as many credits as money buys, as '20.00 USD'.", valueName: "money"))
  var money: Money?

  func validate() throws { _ = try offer() }

  /// What to buy; complains of none and of several.
  func offer() throws -> Offer {
    switch (pack, credits, money) {
    case (let pack?, nil, nil): return .pack(pack.amount)
    case (nil, let credits?, nil): return .credits(credits.amount)
    case (nil, nil, let money?): return .money(money)
    default: throw ValidationError("say what to buy with one of --pack, --credits and --money")
    }
  }
}

extension Money: ExpressibleByArgument {}

extension Period: ExpressibleByArgument {
  /// Parses the word for the period.
  public init?(argument: String) {
    guard let period = Self.allCases.first(where: { $0.description == argument }) else { return nil }
    self = period
  }

  /// The word that parses to the period, for help texts.
  public var defaultValueDescription: String { description }
}
