extension Catalogue {
  /// Reads a catalogue from JSON.
  ///
  /// It is an object: `packs`, a list of objects with `credits` and `price`; optional `custom`, an object with `rate`
  /// (an object with `credits` and `price`), `least` and `most`. Credits are strings such as `"0.5"` or whole numbers,
  /// money is written as `"20.00 USD"`. At most 1 MiB; unknown and repeated keys are refused.
  public init(json: some Collection<UInt8>) throws(PricingError) {
    let fields = try JSONFields(JSONValue(json: json), at: "", known: ["packs", "custom"])
    var packs: [Pack] = []
    for (index, item) in try fields.required(fields.array("packs"), "packs").enumerated() {
      packs.append(try Pack(item, at: "packs[\(index)]"))
    }
    var custom: Custom?
    if let value = fields.value("custom") {
      let inner = try JSONFields(value, at: "custom", known: ["rate", "least", "most"])
      custom = Custom(
        rate: try Pack(inner.required(inner.value("rate"), "rate"), at: "custom.rate"),
        least: try inner.required(inner.money("least"), "least"),
        most: try inner.required(inner.money("most"), "most"))
    }
    try self.init(packs: packs, custom: custom)
  }

  /// The catalogue as JSON, always the same for the same catalogue; reading it gives an equal catalogue.
  public var json: String {
    var members = [JSONValue.Member("packs", .array(packs.map(\.jsonValue)))]
    if let custom {
      members.append(
        .init(
          "custom",
          .object([
            .init("rate", custom.rate.jsonValue), .init("least", .string(custom.least.description)),
            .init("most", .string(custom.most.description)),
          ])))
    }
    return JSONValue.object(members).text
  }
}

extension Pack {
  fileprivate init(_ value: JSONValue, at place: String) throws(PricingError) {
    let fields = try JSONFields(value, at: place, known: ["credits", "price"])
    self.init(
      credits: try fields.required(fields.amount("credits"), "credits"),
      price: try fields.required(fields.money("price"), "price"))
  }

  fileprivate var jsonValue: JSONValue {
    .object([.init("credits", .string(credits.description)), .init("price", .string(price.description))])
  }
}
