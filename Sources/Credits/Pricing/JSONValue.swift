/// A value of JSON (RFC 8259) as it is written: numbers as their text, members of objects in their order.
///
/// Foundation's decoders can tell neither an unknown nor a repeated key and read numbers as floating point; prices
/// need all three, hence this parser of our own.
enum JSONValue: Hashable, Sendable {
  case null
  case bool(Bool)
  case number(String)
  case string(String)
  case array([JSONValue])
  case object([Member])

  /// A key of an object and its value.
  struct Member: Hashable, Sendable {
    let key: String
    let value: JSONValue

    init(_ key: String, _ value: JSONValue) {
      self.key = key
      self.value = value
    }
  }

  /// The most bytes of a text that is read.
  static let largestText = 1 << 20

  /// The most bytes of a key.
  ///
  /// To compare strings, or to hash them, means to sort the accents of each letter, which takes the square of their
  /// number: a key of a mebibyte of accents would take minutes.
  static let longestKey = 255

  /// How deep lists and objects may be nested.
  static let deepest = 16

  /// Parses a whole text in UTF-8; refuses one that is too long or nested too deep, and objects with a key twice.
  init(json: some Collection<UInt8>) throws(PricingError) {
    guard json.count <= Self.largestText else {
      throw PricingError(at: "", "the text has \(json.count) bytes; keep it to \(Self.largestText) (1 MiB)")
    }
    var parser = JSONParser(bytes: Array(json))
    self = try parser.document()
  }

  /// What kind of value it is, with its article.
  var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a truth value"
    case .number: "a number"
    case .string: "a string"
    case .array: "a list"
    case .object: "an object"
    }
  }
}

/// Reads JSON text from the left to the right.
private struct JSONParser {
  private enum Step {
    case key(String)
    case index(Int)
  }

  private let bytes: [UInt8]
  private var position = 0
  private var path: [Step] = []

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func document() throws(PricingError) -> JSONValue {
    let document = try value()
    skipSpace()
    guard position == bytes.count else { throw unexpected("the end of the text") }
    return document
  }

  private mutating func value() throws(PricingError) -> JSONValue {
    skipSpace()
    switch peek {
    case UInt8(ascii: "{"): return try object()
    case UInt8(ascii: "["): return try array()
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "-"): return .number(try number())
    case _ where isDigit: return .number(try number())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: throw unexpected("a value")
    }
  }

  private mutating func object() throws(PricingError) -> JSONValue {
    try enter()
    var members: [JSONValue.Member] = []
    var keys: Set<String> = []
    while try !close(UInt8(ascii: "}"), first: members.isEmpty) {
      skipSpace()
      guard peek == UInt8(ascii: "\"") else { throw unexpected("a key in quotes") }
      let opening = position
      let key = try string()
      guard key.utf8.count <= JSONValue.longestKey else {
        throw PricingError(
          at: line(of: opening), "the key has \(key.utf8.count) bytes; keep it to \(JSONValue.longestKey)")
      }
      guard keys.insert(key).inserted else {
        throw PricingError(at: place, "the key \(JSONValue.quoted(key)) is there twice; keep one")
      }
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw unexpected("a colon") }
      path.append(.key(key))
      members.append(JSONValue.Member(key, try value()))
      path.removeLast()
    }
    return .object(members)
  }

  private mutating func array() throws(PricingError) -> JSONValue {
    try enter()
    var items: [JSONValue] = []
    while try !close(UInt8(ascii: "]"), first: items.isEmpty) {
      path.append(.index(items.count))
      items.append(try value())
      path.removeLast()
    }
    return .array(items)
  }

  /// Passes the opening bracket.
  private mutating func enter() throws(PricingError) {
    guard path.count < JSONValue.deepest else {
      throw PricingError(at: line(of: position), "nested deeper than \(JSONValue.deepest) levels; write it flatter")
    }
    position += 1
  }

  /// Passes the closing bracket, or else the comma before the next item; nothing before the first one.
  private mutating func close(_ bracket: UInt8, first isFirst: Bool) throws(PricingError) -> Bool {
    skipSpace()
    if take(bracket) { return true }
    guard isFirst || take(UInt8(ascii: ",")) else {
      throw unexpected("a comma or \(String(decoding: [bracket], as: UTF8.self))")
    }
    return false
  }

  private mutating func number() throws(PricingError) -> String {
    let start = position
    _ = take(UInt8(ascii: "-"))
    if !take(UInt8(ascii: "0")) { try digits() }
    if take(UInt8(ascii: ".")) { try digits() }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      try digits()
    }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private mutating func digits() throws(PricingError) {
    guard isDigit else { throw unexpected("a digit") }
    while isDigit { position += 1 }
  }

  private var isDigit: Bool { peek.map { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") } ?? false }

  private mutating func word(_ word: String, _ value: JSONValue) throws(PricingError) -> JSONValue {
    guard bytes[position...].starts(with: word.utf8) else { throw unexpected("a value") }
    position += word.utf8.count
    return value
  }

  private mutating func string() throws(PricingError) -> String {
    let opening = position
    position += 1
    var text: [UInt8] = []
    while let byte = peek, byte != UInt8(ascii: "\"") {
      guard byte >= 0x20 else {
        throw PricingError(at: line(of: position), "a control character in a string; escape it")
      }
      position += 1
      if byte == UInt8(ascii: "\\") {
        text += String(Character(try escape())).utf8
      } else {
        text.append(byte)
      }
    }
    guard take(UInt8(ascii: "\"")) else {
      throw PricingError(at: line(of: opening), "the string does not end; close the quote")
    }
    guard let string = String(validating: text, as: UTF8.self) else {
      throw PricingError(at: line(of: opening), "the string is no valid UTF-8; save the text as UTF-8")
    }
    return string
  }

  /// What follows a backslash.
  private mutating func escape() throws(PricingError) -> Unicode.Scalar {
    let byte = peek
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte ?? 0)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      let unit = try hexadecimal()
      if let scalar = Unicode.Scalar(unit) { return scalar }
      // A code point beyond 16 bits is written as two surrogates.
      if unit < 0xDC00, take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) {
        let low = try hexadecimal()
        if (0xDC00...0xDFFF).contains(low), let scalar = Unicode.Scalar((unit - 0xD7C0) << 10 | (low & 0x3FF)) {
          return scalar
        }
      }
      throw PricingError(at: line(of: position), "half of a surrogate pair; write both halves")
    default:
      position -= 1
      throw unexpected("an escape such as \\n or \\u00e9")
    }
  }

  private mutating func hexadecimal() throws(PricingError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw unexpected("four hexadecimal digits")
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }

  private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard peek == byte else { return false }
    position += 1
    return true
  }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  private func unexpected(_ wanted: String) -> PricingError {
    let found = peek.map { JSONValue.quoted(String(Unicode.Scalar($0))) } ?? "the end"
    return PricingError(at: line(of: position), "no JSON: \(wanted) should be here, not \(found)")
  }

  /// A position as a line and a column in bytes, both from 1 on.
  private func line(of position: Int) -> String {
    let before = bytes[..<min(position, bytes.count)]
    let start = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
    return "line \(before.count { $0 == 0x0A } + 1), column \(before.count - start + 1)"
  }

  private var place: String {
    path.reduce("") { place, step in
      switch step {
      case .key(let key): JSONValue.place(key, in: place)
      case .index(let index): "\(place)[\(index)]"
      }
    }
  }
}
