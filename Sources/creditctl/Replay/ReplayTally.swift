import Credits

/// The counts of a replay.
struct ReplayTally: Equatable, Sendable {
  /// What was asked of one feature, and what came of it now.
  struct Feature: Equatable, Sendable {
    var debits: UInt64 = 0
    var denied: UInt64 = 0
    var free: UInt64 = 0
    /// What was spent, in millionths of a credit.
    var spent: Int128 = 0
  }

  /// The counts by feature, of what was answered now.
  var features: [String: Feature] = [:]
  /// Denials by the code of their reason.
  var denials: [String: UInt64] = [:]
  /// Requests that had been answered before: the earlier outcome, and nothing changed.
  var replayedDebits: UInt64 = 0
  var replayedDenials: UInt64 = 0
  /// The time of each call, in nanoseconds.
  var latencies: [UInt64] = []

  /// Counts an outcome.
  mutating func count(_ outcome: Outcome, of feature: String) {
    switch outcome {
    case .debited(let receipt) where receipt.isReplay: replayedDebits += 1
    case .debited(let receipt) where receipt.amount == .zero: features[feature, default: Feature()].free += 1
    case .debited(let receipt):
      features[feature, default: Feature()].debits += 1
      features[feature, default: Feature()].spent += Int128(receipt.amount.millionths)
    case .denied(let denial) where denial.isReplay: replayedDenials += 1
    case .denied(let denial):
      denials[denial.reason.code, default: 0] += 1
      features[feature, default: Feature()].denied += 1
    }
  }

  /// Adds the counts of another tally; latencies stay where they are.
  mutating func add(_ other: ReplayTally) {
    denials.merge(other.denials) { $0 + $1 }
    features.merge(other.features) { one, two in
      Feature(
        debits: one.debits + two.debits, denied: one.denied + two.denied, free: one.free + two.free,
        spent: one.spent + two.spent)
    }
    replayedDebits += other.replayedDebits
    replayedDenials += other.replayedDenials
  }

  /// All debits that were made now, those that cost nothing left out.
  var debits: UInt64 { features.values.reduce(0) { $0 + $1.debits } }

  /// All that was recorded as free now.
  var free: UInt64 { features.values.reduce(0) { $0 + $1.free } }

  /// What was spent now, in millionths of a credit.
  var spent: Int128 { features.values.reduce(0) { $0 + $1.spent } }

  /// All denials that were made now.
  var denied: UInt64 { denials.values.reduce(0, +) }

  /// All requests that had been answered before.
  var replays: UInt64 { replayedDebits + replayedDenials }

  /// All requests.
  var answers: UInt64 { debits + free + denied + replays }
}
