import Credits

/// Reads one line of JSON Lines: an object whose values by the columns' names are taken; others are checked and
/// skipped.
struct JSONLine {
  private let bytes: ArraySlice<UInt8>
  private var place: Int

  /// The most arrays and objects within each other.
  private static let deepest = 64

  private init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    place = bytes.startIndex
  }

  /// Parses a line.
  static func parse(_ line: ArraySlice<UInt8>, _ columns: UsageColumns, checkingTime: Bool) throws(LineError)
    -> UsageLine
  {
    var reader = JSONLine(line)
    var (context, generated): (ArraySlice<UInt8>?, ArraySlice<UInt8>?)
    var (time, feature): (ArraySlice<UInt8>?, ArraySlice<UInt8>?)
    reader.skipSpace()
    guard reader.take("{") else { throw LineError("is no JSON object") }
    reader.skipSpace()
    if !reader.take("}") {
      repeat {
        reader.skipSpace()
        let key = try reader.string()
        reader.skipSpace()
        guard reader.take(":") else { throw LineError("has a key without a value") }
        reader.skipSpace()
        let value = try reader.value(depth: 1)
        func set(_ slot: inout ArraySlice<UInt8>?) throws(LineError) {
          guard slot == nil else { throw LineError("has the key \(String(decoding: key, as: UTF8.self)) twice") }
          slot = value
        }
        if UsageColumns.isName(key, columns.context) { try set(&context) }
        if UsageColumns.isName(key, columns.generated) { try set(&generated) }
        if UsageColumns.isName(key, columns.time) { try set(&time) }
        if UsageColumns.isName(key, columns.feature.name) { try set(&feature) }
        reader.skipSpace()
      } while reader.take(",")
      guard reader.take("}") else { throw LineError("is no whole JSON object") }
    }
    reader.skipSpace()
    guard reader.place == line.endIndex else { throw LineError("has text after its JSON object") }
    guard let context else { throw LineError("has no key \(columns.context.escapedForTerminal)") }
    guard let generated else { throw LineError("has no key \(columns.generated.escapedForTerminal)") }
    var usage = UsageLine(
      context: try UsageLine.tokens(context, columns.context),
      generated: try UsageLine.tokens(generated, columns.generated))
    if let feature {
      usage.feature = try UsageLine.feature(feature, columns.feature.name ?? "")
    } else if case .required(let name) = columns.feature {
      throw LineError("has no key \(name.escapedForTerminal)")
    }
    guard let name = columns.time else { return usage }
    guard let time else { throw LineError("has no key \(name.escapedForTerminal)") }
    if checkingTime { usage.time = try UsageLine.time(time, name) }
    return usage
  }

  private var next: UInt8? { place < bytes.endIndex ? bytes[place] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 32 || byte == 9 || byte == 13 || byte == 10 { place += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    place += 1
    return true
  }

  /// The bytes between the quotes of a string, escapes untouched: no name and no number needs any.
  private mutating func string() throws(LineError) -> ArraySlice<UInt8> {
    guard take("\"") else { throw LineError("has a key that is no string") }
    let start = place
    while let byte = next {
      if byte == UInt8(ascii: "\"") {
        defer { place += 1 }
        return bytes[start..<place]
      }
      guard byte >= 32 else { throw LineError("has a control character in a string") }
      place += byte == UInt8(ascii: "\\") ? 2 : 1
    }
    throw LineError("has a string that does not end")
  }

  /// The bytes of a value: those of a number or word, those between the quotes of a string, or none for anything else.
  private mutating func value(depth: Int) throws(LineError) -> ArraySlice<UInt8> {
    guard depth <= JSONLine.deepest else { throw LineError("has values nested too deep") }
    switch next {
    case UInt8(ascii: "\""): return try string()
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      try container(depth: depth)
      return []
    default:
      let start = place
      while let byte = next, JSONLine.isOfWord(byte) { place += 1 }
      guard place > start else { throw LineError("has a value that is no JSON") }
      return bytes[start..<place]
    }
  }

  private mutating func container(depth: Int) throws(LineError) {
    let isObject = next == UInt8(ascii: "{")
    place += 1
    skipSpace()
    if take(isObject ? "}" : "]") { return }
    repeat {
      skipSpace()
      if isObject {
        _ = try string()
        skipSpace()
        guard take(":") else { throw LineError("has a key without a value") }
        skipSpace()
      }
      _ = try value(depth: depth + 1)
      skipSpace()
    } while take(",")
    guard take(isObject ? "}" : "]") else { throw LineError("is no whole JSON object") }
  }

  private static func isOfWord(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...90, 97...122, UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."): true
    default: false
    }
  }
}
