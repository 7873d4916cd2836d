package import Credits

/// One line of a usage log: what one request to a model used.
package struct UsageLine: Equatable {
  package var context: Int64
  package var generated: Int64
  /// The feature, where the log names it.
  package var feature: String?
  /// The moment of the request, where it was asked for.
  package var time: Timestamp?

  /// The most tokens that a line may name.
  static let maximumTokens: Int64 = 1_000_000_000_000

  /// Parses a number of tokens.
  static func tokens(_ bytes: ArraySlice<UInt8>, _ column: String) throws(LineError) -> Int64 {
    guard !bytes.isEmpty else { throw LineError("\(column) is empty") }
    if bytes.first == UInt8(ascii: "-") { throw LineError("\(column) is negative: \(quoted(bytes))") }
    var value: Int64 = 0
    for byte in bytes {
      guard byte >= 48, byte <= 57 else { throw LineError("\(column) is no whole number: \(quoted(bytes))") }
      value = value * 10 + Int64(byte - 48)
      guard value <= maximumTokens else { throw LineError("\(column) is too large: \(quoted(bytes))") }
    }
    return value
  }

  /// Parses a moment.
  static func time(_ bytes: ArraySlice<UInt8>, _ column: String) throws(LineError) -> Timestamp {
    guard bytes.count <= 64, let time = Timestamp(String(decoding: bytes, as: UTF8.self)) else {
      throw LineError("\(column) is no time such as 2026-11-22T22:17:45Z: \(quoted(bytes))")
    }
    return time
  }

  /// Parses the name of a feature.
  static func feature(_ bytes: ArraySlice<UInt8>, _ column: String) throws(LineError) -> String {
    guard !bytes.isEmpty else { throw LineError("\(column) is empty") }
    guard bytes.count <= 255 else { throw LineError("\(column) is longer than 255 bytes: \(quoted(bytes))") }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Bytes of a hostile file, safe and short enough to print.
  static func quoted(_ bytes: ArraySlice<UInt8>) -> String {
    "'" + String(decoding: bytes.prefix(80), as: UTF8.self).escapedForTerminal.cut(to: 40) + "'"
  }
}
