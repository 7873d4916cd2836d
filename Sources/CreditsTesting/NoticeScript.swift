internal import Credits

/// How a provider sends its notices: in how many copies, and how late, so that they pass each other.
///
/// Lateness is counted in calls to charge, not in time, so that a seed repeats it: a notice that is late by 0 is sent
/// before the answer of its own call, one that is late by 3 before the answer of the third call after it.
public struct NoticeScript: Hashable, Sendable {
  /// What the rolls of copies and lateness follow from.
  public var seed: UInt64

  /// How many copies of a notice are sent.
  public var copies: ClosedRange<Int>

  /// By how many calls a copy is late.
  public var lateness: ClosedRange<Int>

  /// Describes how notices are sent; both ranges begin at 0 or above.
  public init(seed: UInt64, copies: ClosedRange<Int>, lateness: ClosedRange<Int>) {
    precondition(copies.lowerBound >= 0 && lateness.lowerBound >= 0, "notices are sent after what they tell of")
    self.seed = seed
    self.copies = copies
    self.lateness = lateness
  }

  /// One notice of everything, at once.
  public static let prompt = NoticeScript(seed: 0, copies: 1...1, lateness: 0...0)
}

/// The notices that are still to be sent.
struct Outbox: Sendable {
  struct Notice: Sendable {
    let key: String
    let outcome: ChargeOutcome
    /// The number of the call before whose answer it is sent.
    let due: Int
    /// The order among those that are due together: at random where notices may be late.
    let order: UInt64
  }

  private let script: NoticeScript
  private var random: SplitMix64
  private var waiting: [Notice] = []
  private var posted: UInt64 = 0

  init(_ script: NoticeScript) {
    self.script = script
    random = SplitMix64(seed: script.seed)
  }

  /// Puts a notice in, after so many calls.
  mutating func post(_ key: String, _ outcome: ChargeOutcome, after calls: Int) {
    for _ in 0..<script.copies.lowerBound + random.below(script.copies.count) {
      let lateness = script.lateness.lowerBound + random.below(script.lateness.count)
      posted += 1
      let order = script.lateness.upperBound > 0 ? random.next() : posted
      waiting.append(Notice(key: key, outcome: outcome, due: calls - 1 + lateness, order: order))
    }
  }

  /// Takes out what is due by a call.
  mutating func take(upTo call: Int) -> [Notice] {
    let due = waiting.filter { $0.due <= call }
    guard !due.isEmpty else { return [] }
    waiting.removeAll { $0.due <= call }
    return due.sorted { $0.order < $1.order }
  }
}
