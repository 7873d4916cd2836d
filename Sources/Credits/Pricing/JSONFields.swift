/// The members of a JSON object whose keys are all known, read as the types of a price book.
struct JSONFields {
  private let place: String
  private let members: [String: JSONValue]

  /// Takes an object apart; refuses other values, and unknown keys by name.
  init(_ value: JSONValue, at place: String, known: [String]) throws(PricingError) {
    guard case .object(let members) = value else { throw JSONFields.wrong(value, at: place, "an object") }
    for member in members where !known.contains(member.key) {
      let list = known.joined(separator: ", ")
      throw PricingError(
        at: JSONValue.place(member.key, in: place), "the key is unknown; remove it, or write one of \(list)")
    }
    self.place = place
    self.members = Dictionary(members.map { ($0.key, $0.value) }) { first, _ in first }
  }

  /// The place of a member.
  func place(_ key: String) -> String { JSONValue.place(key, in: place) }

  /// A value that must be there.
  func required<Value>(_ value: Value?, _ key: String) throws(PricingError) -> Value {
    guard let value else { throw PricingError(at: place(key), "missing; add it") }
    return value
  }

  /// A member as it is.
  func value(_ key: String) -> JSONValue? { members[key] }

  /// A string.
  func string(_ key: String) throws(PricingError) -> String? {
    switch members[key] {
    case nil: return nil
    case .string(let string): return string
    case .some(let other): throw Self.wrong(other, at: place(key), "a string")
    }
  }

  /// The items of a list.
  func array(_ key: String) throws(PricingError) -> [JSONValue]? {
    switch members[key] {
    case nil: return nil
    case .array(let items): return items
    case .some(let other): throw Self.wrong(other, at: place(key), "a list")
    }
  }

  /// The members of an object with keys of its own.
  func object(_ key: String) throws(PricingError) -> [JSONValue.Member]? {
    switch members[key] {
    case nil: return nil
    case .object(let members): return members
    case .some(let other): throw Self.wrong(other, at: place(key), "an object")
    }
  }

  /// A whole number.
  func whole<Number: FixedWidthInteger>(_ key: String, as type: Number.Type) throws(PricingError) -> Number? {
    switch members[key] {
    case nil: return nil
    case .number(let digits):
      guard let number = Number(digits) else {
        throw PricingError(at: place(key), "\(Self.short(digits)) is not a whole number from 0 to \(Number.max)")
      }
      return number
    case .some(let other): throw Self.wrong(other, at: place(key), "a whole number")
    }
  }

  /// A number of credits.
  func amount(_ key: String) throws(PricingError) -> Amount? {
    guard let value = members[key] else { return nil }
    return try Self.amount(value, at: place(key))
  }

  /// A moment.
  func timestamp(_ key: String) throws(PricingError) -> Timestamp? {
    guard let text = try string(key) else { return nil }
    guard let time = Timestamp(text) else {
      throw PricingError(at: place(key), "\(JSONValue.quoted(text)) is no time; write it as 2026-11-22T22:17:45Z")
    }
    return time
  }

  /// An amount of money.
  func money(_ key: String) throws(PricingError) -> Money? {
    guard let text = try string(key) else { return nil }
    guard let money = Money(text) else {
      throw PricingError(at: place(key), "\(JSONValue.quoted(text)) is no money; write it as 20.00 USD")
    }
    return money
  }

  /// An exact decimal: a string, or a whole number.
  static func amount(_ value: JSONValue, at place: String) throws(PricingError) -> Amount {
    switch value {
    case .string(let text):
      guard let amount = Amount(text) else {
        throw PricingError(
          at: place, "\(JSONValue.quoted(text)) is no amount; write up to six decimals, such as 0.001")
      }
      return amount
    case .number(let digits):
      guard digits.utf8.allSatisfy({ $0 != UInt8(ascii: ".") && $0 | 0x20 != UInt8(ascii: "e") }) else {
        throw PricingError(at: place, "\(short(digits)) is no whole number; write it in quotes, which keeps it exact")
      }
      guard let amount = Amount(digits) else { throw PricingError(at: place, "\(short(digits)) is too large") }
      return amount
    default: throw wrong(value, at: place, "an amount, such as \"0.001\"")
    }
  }

  private static func wrong(_ value: JSONValue, at place: String, _ wanted: String) -> PricingError {
    PricingError(at: place, "\(value.kind) is here where \(wanted) should be")
  }

  private static func short(_ digits: String) -> String {
    digits.utf8.count <= 64 ? digits : String(digits.prefix(64)) + "…"
  }
}
