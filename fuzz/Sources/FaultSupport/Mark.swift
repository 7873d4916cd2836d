internal import Credits

/// Something that the world outside the store has seen, in the order in which it did.
public enum Mark: Hashable, Sendable {
  /// A step was acknowledged.
  case acknowledged(index: Int, sequence: UInt64, time: Int64, text: String)
  /// A card was charged.
  case charged(key: String, minor: Int64)

  /// The mark as a line.
  public var line: String {
    switch self {
    case .acknowledged(let index, let sequence, let time, let text): "A \(index) \(sequence) \(time) \(text)\n"
    case .charged(let key, let minor): "G \(key) \(minor)\n"
    }
  }

  /// Reads a line; nil for anything else, such as one that was cut off.
  public init?(line: Substring) {
    if line.hasPrefix("A ") {
      let parts = line.split(separator: " ", maxSplits: 4)
      guard parts.count == 5, let index = Int(parts[1]), let sequence = UInt64(parts[2]), let time = Int64(parts[3])
      else { return nil }
      self = .acknowledged(index: index, sequence: sequence, time: time, text: String(parts[4]))
    } else {
      let parts = line.split(separator: " ")
      guard parts.count == 3, parts[0] == "G", let minor = Int64(parts[2]) else { return nil }
      self = .charged(key: String(parts[1]), minor: minor)
    }
  }

  /// The marks of a file's bytes; a last line without an end never happened.
  public static func marks(_ bytes: [UInt8]) -> [Mark] {
    guard let end = bytes.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
    return String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\n").compactMap { Mark(line: $0) }
  }
}

/// What the world outside knows at a moment.
public struct Knowledge: Sendable {
  /// The steps that were acknowledged, and how.
  public private(set) var results: [Int: (sequence: UInt64, text: String)] = [:]
  /// The cards that were charged.
  public private(set) var charges: [String: Int64] = [:]
  /// The time.
  public private(set) var time = Scenario.begin.microseconds
  /// The last entry that was vouched for.
  public private(set) var sequence: UInt64 = 0

  /// Nothing is known.
  public init() {}

  /// Learns of a mark.
  public mutating func learn(_ mark: Mark) {
    switch mark {
    case .acknowledged(let index, let last, let now, let text):
      results[index] = (last, text)
      time = max(time, now)
      sequence = max(sequence, last)
    case .charged(let key, let minor): charges[key] = minor
    }
  }
}
