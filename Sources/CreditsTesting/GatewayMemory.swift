internal import Credits
internal import Glibc

/// What a scripted provider knows: in memory, and in a file if it is to outlive the process.
///
/// The file is a journal of lines. Each is written whole, at its end, before anybody hears of what it says; so a killed
/// process has done exactly what its lines say. A line that was cut off never happened.
struct GatewayMemory: Sendable {
  /// What orders wanted to be charged, by key.
  private(set) var wanted: [String: ScriptedGateway.Taken] = [:]
  /// What became of keys.
  private(set) var outcomes: [String: ChargeOutcome] = [:]
  /// Every card that was charged.
  private(set) var taken: [ScriptedGateway.Taken] = []
  /// The keys whose outcome is not final.
  private(set) var pending: Set<String> = []
  /// The number of calls with a key that was remembered.
  private(set) var repeats = 0
  /// When each key that is remembered came first.
  private var remembered: [String: Timestamp] = [:]
  private let file: GatewayFile?

  /// Opens the file, if there is to be one, and does again what it says.
  init(_ path: String?) {
    guard let path else {
      file = nil
      return
    }
    // Safe: the path is a terminated string that outlives the call.
    let file = unsafe open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    precondition(file >= 0, "the gateway's memory at \(path) cannot be opened")
    self.file = GatewayFile(descriptor: file)
    let bytes = GatewayMemory.contents(of: file)
    let whole = bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    for line in bytes[..<whole].split(separator: UInt8(ascii: "\n")) {
      guard apply(GatewayMemory.words(of: line)) else { preconditionFailure("\(path) is no memory of a gateway") }
    }
    precondition(whole == bytes.count || ftruncate(file, whole) == 0, "\(path) cannot be cut to its whole lines")
  }

  /// Whether a key was charged or declined.
  func isFinal(_ key: String) -> Bool { outcomes[key] != nil && !pending.contains(key) }

  /// The answer that a key has already; notes the order where it has none.
  mutating func recall(_ order: ChargeOrder, at now: Timestamp?, for memory: Duration) -> ChargeOutcome? {
    if let first = remembered[order.key], now.map({ $0 < first + memory }) ?? true {
      guard let known = outcomes[order.key] else { return nil }
      note(["again", order.key])
      return known
    }
    note([
      "called", order.key, "\((now ?? .zero).microseconds)", "\(order.account.high)", "\(order.account.low)",
      "\(order.price.minor)", order.price.currency.description, order.method.token,
    ])
    return nil
  }

  /// Charges the card of an order with a sum; nil if there was no such order.
  mutating func charge(_ key: String, _ money: Money) -> ChargeOutcome? {
    guard wanted[key] != nil else { return nil }
    note(["taken", key, "\(money.minor)", money.currency.description])
    return outcomes[key]
  }

  /// Keeps what became of a key without a charge.
  mutating func keep(_ outcome: ChargeOutcome, of key: String) {
    switch outcome {
    case .declined(let reason): note(["declined", key, reason])
    case .needsAction(let link): note(["action", key, link])
    default: note(["processing", key])
    }
  }

  /// Forgets that keys ever came, but not what became of them.
  mutating func forgetKeys() { note(["forget"]) }

  // MARK: Lines

  private mutating func note(_ words: [String]) {
    if let file {
      let text = words.map { $0.utf8.allSatisfy(GatewayMemory.isPlain) && !$0.isEmpty ? $0 : GatewayMemory.hex($0) }
      let bytes = Array((text.joined(separator: " ") + "\n").utf8)
      // Safe: the buffer has the bytes that are to be written.
      let count = unsafe bytes.withUnsafeBytes { unsafe write(file.descriptor, $0.baseAddress, $0.count) }
      precondition(count == bytes.count, "the gateway's memory cannot be written")
    }
    guard apply(words) else { preconditionFailure("a line does not mean what it says") }
  }

  /// Does what a line says; false if it says nothing.
  private mutating func apply(_ words: [String]) -> Bool {
    switch words.first {
    case "called" where words.count == 8:
      guard let time = Int64(words[2]), let high = UInt64(words[3]), let low = UInt64(words[4]),
        let minor = Int64(words[5]), let currency = Currency(words[6])
      else { return false }
      remembered[words[1]] = Timestamp(microseconds: time)
      wanted[words[1]] = ScriptedGateway.Taken(
        key: words[1], account: AccountID(high: high, low: low), money: Money(minor, currency), token: words[7])
    case "taken" where words.count == 4:
      guard let minor = Int64(words[2]), let currency = Currency(words[3]), let wanted = wanted[words[1]] else {
        return false
      }
      let money = Money(minor, currency)
      taken.append(
        ScriptedGateway.Taken(key: words[1], account: wanted.account, money: money, token: wanted.token))
      keep(words[1], .succeeded(reference: "ch-\(taken.count)", price: money))
    case "declined" where words.count == 3: keep(words[1], .declined(reason: words[2]))
    case "action" where words.count == 3: keep(words[1], .needsAction(link: words[2]))
    case "processing" where words.count == 2: keep(words[1], .processing)
    case "again" where words.count == 2: repeats += 1
    case "forget": remembered.removeAll()
    default: return false
    }
    return true
  }

  private mutating func keep(_ key: String, _ outcome: ChargeOutcome) {
    outcomes[key] = outcome
    switch outcome {
    case .needsAction, .processing: pending.insert(key)
    default: pending.remove(key)
    }
  }

  /// Whether a byte can stand in a line as it is.
  private static func isPlain(_ byte: UInt8) -> Bool { byte > 32 && byte < 127 && byte != UInt8(ascii: "%") }

  private static func hex(_ text: String) -> String {
    let digits = Array("0123456789abcdef")
    return "%" + String(text.utf8.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
  }

  private static func words(of line: ArraySlice<UInt8>) -> [String] {
    line.split(separator: UInt8(ascii: " ")).map { word in
      let text = String(decoding: word, as: UTF8.self)
      guard word.first == UInt8(ascii: "%") else { return text }
      let digits = Array(text.dropFirst())
      let bytes = stride(from: 0, to: digits.count - 1, by: 2).map {
        UInt8(String(digits[$0...$0 + 1]), radix: 16) ?? 0
      }
      return String(decoding: bytes, as: UTF8.self)
    }
  }

  private static func contents(of file: Int32) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      // Safe: the buffer has the bytes that are asked for.
      let count = unsafe chunk.withUnsafeMutableBytes { unsafe pread(file, $0.baseAddress, $0.count, bytes.count) }
      guard count > 0 else { return bytes }
      bytes.append(contentsOf: chunk[..<count])
    }
  }
}

/// An open file, which is closed with the last reference to it.
private final class GatewayFile: Sendable {
  let descriptor: Int32

  init(descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }
}
