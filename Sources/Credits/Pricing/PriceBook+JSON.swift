extension PriceBook {
  /// Reads a price book from JSON.
  ///
  /// The book is an object: `name`; optional `validFrom` and `validUntil` (times such as `2026-11-22T22:17:45Z`),
  /// `quoteSeconds` (300) and `rounding` (0.000001); `features`, a list of objects. A feature has a `name`; optional
  /// `base`, `minimum`, `maximum`; `rates`, a list of objects with `unit`, `amount` and optional `per` (1); `models`
  /// and `tiers`, objects from names to factors, whose order counts. Amounts and factors are strings such as
  /// `"0.001"`, or whole numbers. At most 1 MiB; unknown keys, repeated keys and repeated names are refused.
  public init(json: some Collection<UInt8>) throws(PricingError) {
    let keys = ["name", "validFrom", "validUntil", "quoteSeconds", "rounding", "features"]
    let fields = try JSONFields(JSONValue(json: json), at: "", known: keys)
    let name = try fields.required(fields.string("name"), "name")
    var features: [Feature] = []
    for (index, item) in try fields.required(fields.array("features"), "features").enumerated() {
      features.append(try Feature(item, at: "features[\(index)]"))
    }
    self.init(name, features: features)
    validFrom = try fields.timestamp("validFrom")
    validUntil = try fields.timestamp("validUntil")
    if let seconds = try fields.whole("quoteSeconds", as: UInt32.self) { quoteValidity = .seconds(Int64(seconds)) }
    if let step = try fields.amount("rounding") { rounding = step }
    try check()
  }

  /// The book as JSON, always the same for the same book; reading it gives an equal book.
  public var json: String {
    var members = [JSONValue.Member("name", .string(name))]
    if let validFrom { members.append(.init("validFrom", .string(validFrom.description))) }
    if let validUntil { members.append(.init("validUntil", .string(validUntil.description))) }
    members.append(.init("quoteSeconds", .number(String(quoteValidity.components.seconds))))
    members.append(.init("rounding", .string(rounding.description)))
    members.append(.init("features", .array(features.map(\.jsonValue))))
    return JSONValue.object(members).text
  }
}

extension PriceBook.Feature {
  fileprivate init(_ value: JSONValue, at place: String) throws(PricingError) {
    let keys = ["name", "base", "rates", "models", "tiers", "minimum", "maximum"]
    let fields = try JSONFields(value, at: place, known: keys)
    self.init(try fields.required(fields.string("name"), "name"))
    base = try fields.amount("base") ?? 0
    for (index, item) in (try fields.array("rates") ?? []).enumerated() {
      rates.append(try PriceBook.Rate(item, at: "\(fields.place("rates"))[\(index)]"))
    }
    models = try Self.choices("models", of: fields)
    tiers = try Self.choices("tiers", of: fields)
    minimum = try fields.amount("minimum") ?? 0
    maximum = try fields.amount("maximum")
  }

  private static func choices(_ key: String, of fields: JSONFields) throws(PricingError) -> [PriceBook.Choice] {
    var choices: [PriceBook.Choice] = []
    for member in try fields.object(key) ?? [] {
      let factor = try JSONFields.amount(member.value, at: JSONValue.place(member.key, in: fields.place(key)))
      choices.append(PriceBook.Choice(member.key, times: Multiplier(millionths: factor.millionths)))
    }
    return choices
  }

  fileprivate var jsonValue: JSONValue {
    var members: [JSONValue.Member] = [
      .init("name", .string(name)), .init("base", .string(base.description)),
    ]
    if !rates.isEmpty { members.append(.init("rates", .array(rates.map(\.jsonValue)))) }
    for (key, choices) in [("models", models), ("tiers", tiers)] where !choices.isEmpty {
      let factors = choices.map { JSONValue.Member($0.name, .string($0.factor.description)) }
      members.append(.init(key, .object(factors)))
    }
    if minimum != .zero { members.append(.init("minimum", .string(minimum.description))) }
    if let maximum { members.append(.init("maximum", .string(maximum.description))) }
    return .object(members)
  }
}

extension PriceBook.Rate {
  fileprivate init(_ value: JSONValue, at place: String) throws(PricingError) {
    let fields = try JSONFields(value, at: place, known: ["unit", "amount", "per"])
    self.init(
      unit: try fields.required(fields.string("unit"), "unit"),
      amount: try fields.required(fields.amount("amount"), "amount"),
      per: try fields.whole("per", as: UInt32.self) ?? 1)
  }

  fileprivate var jsonValue: JSONValue {
    .object([
      .init("unit", .string(unit)), .init("amount", .string(amount.description)), .init("per", .number(String(per))),
    ])
  }
}
