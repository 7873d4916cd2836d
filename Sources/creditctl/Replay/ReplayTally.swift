import Credits

/// The counts of a replay.
struct ReplayTally: Equatable, Sendable {
  var debits: UInt64 = 0
  /// Denials by the code of their reason.
  var denials: [String: UInt64] = [:]
  /// Requests that had been answered before: the earlier outcome, and nothing changed.
  var replayedDebits: UInt64 = 0
  var replayedDenials: UInt64 = 0
  /// What was spent now, in millionths of a credit.
  var spent: Int128 = 0
  /// The time of each call, in nanoseconds.
  var latencies: [UInt64] = []

  /// Counts an outcome.
  mutating func count(_ outcome: Outcome) {
    switch outcome {
    case .debited(let receipt) where receipt.isReplay: replayedDebits += 1
    case .debited(let receipt):
      debits += 1
      spent += Int128(receipt.amount.millionths)
    case .denied(let denial) where denial.isReplay: replayedDenials += 1
    case .denied(let denial): denials[denial.reason.code, default: 0] += 1
    }
  }

  /// Adds the counts of another tally; latencies stay where they are.
  mutating func add(_ other: ReplayTally) {
    debits += other.debits
    denials.merge(other.denials) { $0 + $1 }
    replayedDebits += other.replayedDebits
    replayedDenials += other.replayedDenials
    spent += other.spent
  }

  /// All denials that were made now.
  var denied: UInt64 { denials.values.reduce(0, +) }

  /// All requests that had been answered before.
  var replays: UInt64 { replayedDebits + replayedDenials }

  /// All requests.
  var answers: UInt64 { debits + denied + replays }
}
