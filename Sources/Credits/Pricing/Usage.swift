/// What a customer used or wants to use, to be priced by the price book.
public struct Usage: Hashable, Sendable {
  /// A unit and how many of it.
  struct Count: Hashable, Sendable {
    let unit: String
    let count: UInt64
  }

  /// The feature.
  public let feature: String

  /// The model; nil where none is named, or the one named `default`.
  public let model: String?

  /// The tier; nil where none is named, or the one named `default`.
  public let tier: String?

  /// The units that are given as a number alone, for a feature with one rate.
  let unnamed: UInt64

  /// The units that are given by name, sorted by name, those with zero left out.
  let named: [Count]

  /// Describes usage with one number of units, which fits a feature with exactly one rate; 0 fits every feature.
  public init(_ feature: String, model: String? = nil, tier: String? = nil, units: UInt64 = 0) {
    self.feature = feature
    self.model = Self.chosen(model)
    self.tier = Self.chosen(tier)
    unnamed = units
    named = []
  }

  /// Describes usage with units by name, such as `["input": 900, "output": 120]`; units not mentioned are 0.
  public init(_ feature: String, model: String? = nil, tier: String? = nil, units: [String: UInt64]) {
    self.feature = feature
    self.model = Self.chosen(model)
    self.tier = Self.chosen(tier)
    unnamed = units[""] ?? 0
    named = units.filter { !$0.key.isEmpty && $0.value != 0 }.map { Count(unit: $0.key, count: $0.value) }.sorted {
      $0.unit < $1.unit
    }
  }

  /// The units by name, those with zero left out; the name is empty for a number alone.
  public var units: [String: UInt64] {
    Dictionary(counts.map { ($0.unit, $0.count) }) { first, _ in first }
  }

  /// The units sorted by name, those with zero left out; the name is empty for a number alone.
  package var counts: [(unit: String, count: UInt64)] {
    (unnamed == 0 ? [] : [("", unnamed)]) + named.map { ($0.unit, $0.count) }
  }

  /// Whether the usage can be recorded: a feature is named, names have at most 255 bytes and are not empty, and there
  /// are at most four units that are not zero.
  package var isValid: Bool {
    func isName(_ text: String) -> Bool { !text.isEmpty && text.utf8.count <= 255 }
    return named.count + (unnamed == 0 ? 0 : 1) <= Counts.capacity && isName(feature)
      && (model.map(isName) ?? true) && (tier.map(isName) ?? true) && named.allSatisfy { isName($0.unit) }
  }

  /// The counts in the order of a feature's rates; nil where a unit is none of them.
  func counts(by rates: [PriceBook.Rate]) -> Counts? {
    var counts = Counts()
    if unnamed != 0 {
      guard named.isEmpty, rates.count == 1 else { return nil }
      counts[0] = unnamed
    }
    for item in named {
      guard let index = rates.firstIndex(where: { $0.unit == item.unit }) else { return nil }
      counts[index] = item.count
    }
    return counts
  }

  private static func chosen(_ name: String?) -> String? { name == PriceBook.defaultName ? nil : name }
}

extension Usage: CustomStringConvertible {
  /// The usage as `chat, model large, 4808 units`.
  public var description: String {
    var parts = [feature]
    if let model { parts.append("model \(model)") }
    if let tier { parts.append("tier \(tier)") }
    parts += counts.map { "\($0.count) \($0.unit.isEmpty ? "units" : $0.unit)" }
    return parts.joined(separator: ", ")
  }
}
