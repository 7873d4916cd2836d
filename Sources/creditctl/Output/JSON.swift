import Credits

/// A value of JSON whose keys keep their order.
enum JSON {
  /// A key of an object and its value.
  struct Member {
    let key: String
    let value: JSON
  }

  case members([Member])
  case array([JSON])
  case string(String)
  case integer(Int128)
  /// A number with decimals, for measurements only: amounts are strings.
  case decimal(Double)
  case bool(Bool)
  case null

  /// The text of the value on one line.
  var text: String {
    var text = ""
    write(to: &text)
    return text
  }

  private func write(to text: inout String) {
    switch self {
    case .members(let members):
      text.append("{")
      for (index, member) in members.enumerated() {
        if index > 0 { text.append(",") }
        JSON.quote(member.key, into: &text)
        text.append(":")
        member.value.write(to: &text)
      }
      text.append("}")
    case .array(let values):
      text.append("[")
      for (index, value) in values.enumerated() {
        if index > 0 { text.append(",") }
        value.write(to: &text)
      }
      text.append("]")
    case .string(let string): JSON.quote(string, into: &text)
    case .integer(let number): text.append(String(number))
    case .decimal(let number): text.append(number.isFinite ? "\(number)" : "null")
    case .bool(let bool): text.append(bool ? "true" : "false")
    case .null: text.append("null")
    }
  }

  /// Quotes a text: control characters, and those that end lines for some readers, as escapes.
  private static func quote(_ string: String, into text: inout String) {
    text.append("\"")
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text.append("\\\"")
      case "\\": text.append("\\\\")
      case "\n": text.append("\\n")
      case "\r": text.append("\\r")
      case "\t": text.append("\\t")
      default:
        // JSON may go to a terminal too, so what steers one is escaped as well.
        if scalar.steersTerminal { escape(scalar, into: &text) } else { text.unicodeScalars.append(scalar) }
      }
    }
    text.append("\"")
  }

  /// Writes a character as one or two escapes of four digits.
  private static func escape(_ scalar: Unicode.Scalar, into text: inout String) {
    for unit in String(scalar).utf16 {
      let digits = String(unit, radix: 16)
      text.append("\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits)
    }
  }

  /// A whole text of JSON in which what steers a terminal is written as escapes; its own line feeds stay.
  static func escaped(_ json: String) -> String {
    var text = ""
    for scalar in json.unicodeScalars {
      if scalar != "\n", scalar.steersTerminal {
        escape(scalar, into: &text)
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByNilLiteral, ExpressibleByIntegerLiteral
{
  init(stringLiteral text: String) { self = .string(text) }
  init(dictionaryLiteral members: (String, JSON)...) { self = .object(members.map { (key: $0.0, value: $0.1) }) }
  init(arrayLiteral values: JSON...) { self = .array(values) }
  init(booleanLiteral bool: Bool) { self = .bool(bool) }
  init(nilLiteral: ()) { self = .null }
  init(integerLiteral number: Int64) { self = .integer(Int128(number)) }

  /// An object.
  static func object(_ members: [(key: String, value: JSON)]) -> JSON {
    .members(members.map { Member(key: $0.key, value: $0.value) })
  }

  /// A whole number.
  static func number(_ number: some BinaryInteger) -> JSON { .integer(Int128(number)) }

  /// The text of a value, or null.
  static func text(_ value: (some CustomStringConvertible)?) -> JSON { value.map { .string($0.description) } ?? .null }

  /// An error as every command prints it.
  static func failure(_ failure: any Failure) -> JSON {
    ["error": ["code": .string(failure.code), "message": .string(failure.sentence)]]
  }
}
