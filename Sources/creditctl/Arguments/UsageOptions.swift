import ArgumentParser
import Credits

/// A unit and how many of it, as `context=4808`.
struct UnitCount: ExpressibleByArgument {
  let unit: String
  let count: UInt64

  init?(argument: String) {
    guard let equals = argument.lastIndex(of: "=") else { return nil }
    let digits = argument[argument.index(after: equals)...]
    guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let count = UInt64(digits) else {
      return nil
    }
    unit = String(argument[..<equals])
    self.count = count
    guard (1...Name.maximumText).contains(unit.utf8.count) else { return nil }
  }
}

/// The options that describe usage beside its feature.
struct UsageOptions: ParsableArguments {
  @Option(name: .long, help: "The model. Default: the one that the book calls 'default'.")
  var model: String?

  @Option(name: .long, help: "The tier. Default: the one that the book calls 'default'.")
  var tier: String?

  @Option(name: .long, help: ArgumentHelp("The units, for a feature with one rate.", valueName: "number"))
  var units: UInt64?

  @Option(
    name: .customLong("unit"),
    help: ArgumentHelp("The units of one kind, as context=4808; once for each kind.", valueName: "unit=number"))
  var named: [UnitCount] = []

  func validate() throws {
    if units != nil, !named.isEmpty {
      throw ValidationError("--units is for a feature with one rate; leave it out where --unit names units")
    }
    if named.count > 4 {
      throw ValidationError("--unit is there \(named.count) times; a feature has four rates at most")
    }
    if Set(named.map(\.unit)).count < named.count { throw ValidationError("--unit names one unit twice; add them up") }
    for name in [model, tier].compactMap({ $0 }) where !(1...Name.maximumText).contains(name.utf8.count) {
      throw ValidationError("--model and --tier have from 1 to \(Name.maximumText) bytes")
    }
  }

  /// Whether any option is there.
  var isEmpty: Bool { model == nil && tier == nil && units == nil && named.isEmpty }

  /// The usage of a feature.
  func usage(_ feature: String) -> Usage {
    if let units { return Usage(feature, model: model, tier: tier, units: units) }
    return Usage(
      feature, model: model, tier: tier, units: Dictionary(named.map { ($0.unit, $0.count) }) { first, _ in first })
  }
}

/// What a debit or a hold is asked for: an amount, or usage that the price book turns into one.
enum Asked {
  case amount(Amount)
  case usage(Usage)

  /// Takes one of the two, and complains of both and of neither.
  init(_ amount: PositiveAmount?, _ feature: String?, _ options: UsageOptions) throws {
    switch (amount, feature) {
    case (let amount?, nil):
      guard options.isEmpty else {
        throw ValidationError("--model, --tier, --units and --unit describe a --feature; leave out the amount, or them")
      }
      self = .amount(amount.amount)
    case (nil, let feature?):
      guard (1...Name.maximumText).contains(feature.utf8.count) else {
        throw ValidationError("--feature has from 1 to \(Name.maximumText) bytes")
      }
      self = .usage(options.usage(feature))
    case (.some, .some): throw ValidationError("give an amount, or a --feature whose price is the amount; not both")
    case (nil, nil): throw ValidationError("give an amount, or usage with --feature")
    }
  }

  /// What it is for, in words that follow a number of credits.
  var purpose: String {
    switch self {
    case .amount: ""
    case .usage(let usage): " for \(usage.description.escapedForTerminal)"
    }
  }

  /// The usage, as an object; null for an amount.
  var json: JSON {
    switch self {
    case .amount: .null
    case .usage(let usage): UsageFormat.json(usage)
    }
  }
}

/// The forms in which usage is printed.
enum UsageFormat {
  /// Usage as an object; the unit of a number alone is the empty text.
  static func json(_ usage: Usage) -> JSON {
    [
      "feature": .string(usage.feature), "model": .text(usage.model), "tier": .text(usage.tier),
      "units": .object(usage.counts.map { (key: $0.unit, value: .number($0.count)) }),
    ]
  }
}
