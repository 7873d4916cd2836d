internal import Credits

/// One call and what came of it.
struct Call: Sendable {
  /// What was called.
  enum Verb: UInt8, Sendable {
    /// A step of the plan that has a request.
    case request
    /// The end of the hold that a step made.
    case end
    /// What was captured beyond that hold.
    case excess
    case balance
    case gate
  }

  /// What came of it.
  enum Answer: UInt8, Sendable {
    case none, done, insufficient, limit, conflict, tooOld, noHold, yes, no, other
  }

  var verb: Verb
  var answer = Answer.none
  var isReplay = false
  /// For the end of a hold: a release, or one that the deadline had brought.
  var isRelease = false
  var isByDeadline = false
  var lane: UInt16
  var account: Int32
  /// The number of the step whose request it was.
  var number: UInt64
  /// What was asked for: of a capture, a gate, or a conflict; -1 for all that is held.
  var asked: Int64 = 0
  /// Nanoseconds of a clock that only rises.
  var began: UInt64 = 0
  var returned: UInt64 = 0
  /// The store's clock before and after, in microseconds.
  var clockBefore: Int64 = 0
  var clockAfter: Int64 = 0
  /// The entry, or the version of the balance.
  var sequence: UInt64 = 0
  var amount: Int64 = 0
  var available: Int64 = 0
  var held: Int64 = 0
  var time: Int64 = 0

  init(_ verb: Verb, lane: Int, account: Int, number: UInt64) {
    self.verb = verb
    self.lane = UInt16(lane)
    self.account = Int32(account)
    self.number = number
  }

  /// Notes an outcome.
  mutating func note(_ outcome: Outcome) {
    switch outcome {
    case .debited(let receipt): note(receipt)
    case .denied(let denial): note(denial)
    }
  }

  /// Notes a receipt.
  mutating func note(_ receipt: Receipt) {
    (answer, isReplay) = (.done, receipt.isReplay)
    (sequence, time) = (receipt.sequence.value, receipt.time.microseconds)
    (amount, available) = (receipt.amount.millionths, receipt.balance.millionths)
  }

  /// Notes a denial.
  mutating func note(_ denial: Denial) {
    isReplay = denial.isReplay
    (sequence, time) = (denial.sequence?.value ?? 0, denial.time.microseconds)
    switch denial.reason {
    case .insufficient(let available, let needed):
      (answer, amount, self.available) = (.insufficient, needed.millionths, available.millionths)
    case .conflict(let sequence): (answer, self.sequence) = (.conflict, sequence.value)
    case .limit: answer = .limit
    case .tooOld: answer = .tooOld
    case .noHold: answer = .noHold
    default: answer = .other
    }
  }
}

/// One entry of the journal, as far as the check needs it.
struct Event: Sendable {
  var sequence: UInt64
  var kind: JournalEntry.Kind
  var account: Int32
  /// The number of the step whose request it answers, or whose hold it ends; 0 for none.
  var number: UInt64
  var time: Int64
  var amount: Int64
  var available: Int64
  /// For a denial.
  var isInsufficient = false
  /// For the end of a hold.
  var isByDeadline = false
  var grant: UInt32 = 0
  var charge: UInt32 = 0

  init(_ entry: JournalEntry) {
    sequence = entry.sequence.value
    kind = entry.kind
    account = Int32(Plan.account(entry.account))
    number = Plan.number(entry.hold ?? entry.request)
    (time, amount) = (entry.time.microseconds, entry.amount.millionths)
    available = entry.available.millionths
    if case .insufficient = entry.denial { isInsufficient = true }
    isByDeadline = entry.cause == HoldOutcome.Cause.deadline.description
    grant = entry.parts.first?.grant ?? 0
    charge = entry.charge ?? 0
  }
}

/// What many callers did to a store, and what its journal says.
struct History: Sendable {
  /// A charge of an account.
  struct ChargeName: Hashable, Sendable {
    let account: Int
    let number: UInt32
  }

  var plan: Plan
  var calls: [Call] = []
  /// All entries, the first of the journal first.
  var events: [Event] = []
  /// When each charge first reached the gateway.
  var sent: [ChargeName: UInt64] = [:]
  /// What else was found wrong.
  var findings: [String] = []
}

extension Call: CustomStringConvertible {
  /// The call as `debit 3/17 of 2500000: done, entry 8, 2500000, leaving 5000000`.
  var description: String {
    let name = number == 0 ? "" : " \(number >> 40)/\(number >> 8 & 0xFFFF_FFFF)/\(number & 0xFF)"
    let told = "\(answer)\(isReplay ? " before" : ""), entry \(sequence), \(amount), leaving \(available)"
    return "\(verb)\(name) of \(asked) by caller \(lane), \(began) to \(returned): \(told)"
  }
}

extension Event: CustomStringConvertible {
  /// The entry as `debited 8 at 1800000000000000: 2500000, leaving 5000000`.
  var description: String {
    let name = number == 0 ? "" : " \(number >> 40)/\(number >> 8 & 0xFFFF_FFFF)/\(number & 0xFF)"
    return "\(kind) \(sequence)\(name) at \(time): \(amount), leaving \(available)"
  }
}
