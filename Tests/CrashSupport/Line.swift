internal import Credits

/// A line from a child to its parent: a mark and numbers, or a mark and text.
public enum Line: Sendable {
  /// An operation that is about to be asked for.
  case asked(Operation)
  /// An operation's reply, after its acknowledgement.
  case answered(Operation.Key, Reply)
  /// The child has come to a step that the parent waits for.
  case step(String)
  /// Something is wrong.
  case trouble(String)

  /// The line's bytes.
  public var bytes: [UInt8] {
    switch self {
    case .asked(let operation):
      Line.bytes(
        "?", operation.key,
        [
          operation.verb.rawValue, operation.amount.millionths, operation.starts.microseconds,
          operation.expires.microseconds,
        ])
    case .answered(let key, let reply):
      Line.bytes("=", key, [reply.code, Int64(reply.sequence), reply.amount, reply.balance, reply.time])
    case .step(let text): Array("> \(text)\n".utf8)
    case .trouble(let text): Array("! \(text)\n".utf8)
    }
  }

  private static func bytes(_ mark: String, _ key: Operation.Key, _ numbers: [Int64]) -> [UInt8] {
    var text = "\(mark) \(key.account) \(key.request.high) \(key.request.low)"
    for number in numbers { text += " \(number)" }
    return Array((text + "\n").utf8)
  }

  /// Reads the lines of some bytes; one that was cut off at the end never happened.
  public static func lines(of bytes: [UInt8]) -> [Line] {
    var lines: [Line] = []
    var start = 0
    for end in bytes.indices where bytes[end] == UInt8(ascii: "\n") {
      lines.append(Line(bytes[start..<end]))
      start = end + 1
    }
    return lines
  }

  private init(_ bytes: ArraySlice<UInt8>) {
    let text = { String(decoding: bytes.dropFirst(2), as: UTF8.self) }
    guard let mark = bytes.first, mark == UInt8(ascii: "?") || mark == UInt8(ascii: "=") else {
      self = bytes.first == UInt8(ascii: ">") ? .step(text()) : .trouble(text())
      return
    }
    var numbers: [Int64] = []
    for byte in bytes.dropFirst() {
      if byte == UInt8(ascii: " ") {
        numbers.append(0)
      } else if let last = numbers.indices.last {
        numbers[last] = numbers[last] &* 10 &+ Int64(byte - 48)
      }
    }
    let key = Operation.Key(
      account: UInt64(numbers[0]), request: RequestID(high: UInt64(numbers[1]), low: UInt64(numbers[2])))
    if mark == UInt8(ascii: "="), numbers.count == 8 {
      self = .answered(
        key,
        Reply(
          code: numbers[3], sequence: UInt64(numbers[4]), amount: numbers[5], balance: numbers[6], time: numbers[7]))
    } else if numbers.count == 7, let verb = Operation.Verb(rawValue: numbers[3]) {
      self = .asked(
        Operation(
          verb, key, amount: Amount(millionths: numbers[4]), starts: Timestamp(microseconds: numbers[5]),
          expires: Timestamp(microseconds: numbers[6])))
    } else {
      self = .trouble("a line has \(numbers.count) numbers")
    }
  }
}
