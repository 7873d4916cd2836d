import Credits

/// What concurrent callers did to some accounts, with when each call began and returned.
struct History: Sendable {
  /// One call and what came of it.
  struct Call: Sendable {
    /// What was asked.
    enum Verb: Sendable { case debit, grant }

    var verb: Verb
    var account: AccountID
    var request: RequestID
    /// What was asked for.
    var amount: Amount
    /// Moments of one clock that only rises; no two are the same.
    var began: UInt64
    var returned: UInt64
    var outcome: Outcome

    /// The entry that holds the outcome.
    var sequence: SequenceNumber {
      switch outcome {
      case .debited(let receipt): receipt.sequence
      case .denied(let denial): denial.sequence ?? .none
      }
    }

    /// Whether it repeats an earlier call.
    var isReplay: Bool {
      switch outcome {
      case .debited(let receipt): receipt.isReplay
      case .denied(let denial): denial.isReplay
      }
    }
  }

  var calls: [Call] = []

  /// Why the calls cannot have happened one at a time on each account, in an order that agrees with real time; empty if they can.
  ///
  /// Each outcome has a sequence number, so the order is given and the check is a sort: the balances must add up in that order, and a
  /// call that returned before another began must come before it.
  func violations() -> [String] {
    Dictionary(grouping: calls, by: \.account).values.flatMap { History.violations(ofAccount: $0) }
  }

  private static func violations(ofAccount calls: [Call]) -> [String] {
    var problems: [String] = []
    var originals: [RequestID: Call] = [:]
    for call in calls where !call.isReplay {
      if let first = originals.updateValue(call, forKey: call.request) {
        problems.append("\(call.request) was carried out as \(first.sequence) and as \(call.sequence)")
      }
    }
    for call in calls where call.isReplay {
      guard let first = originals[call.request] else {
        problems.append("\(call.request) is a replay of nothing")
        continue
      }
      if !isSame(first.outcome, call.outcome) { problems.append("the replay of \(first) is \(call)") }
      if first.began > call.returned { problems.append("\(call) is a replay of what had not begun") }
    }
    let ordered = calls.filter { !$0.isReplay }.sorted { $0.sequence < $1.sequence }
    problems += chainProblems(ordered)
    // Going back from the end: whoever comes later in the order must not have returned before one that comes earlier began.
    var earliestReturn = UInt64.max
    for call in ordered.reversed() {
      if call.began > earliestReturn { problems.append("\(call) comes before a call that returned before it began") }
      earliestReturn = min(earliestReturn, call.returned)
    }
    return problems
  }

  private static func chainProblems(_ ordered: [Call]) -> [String] {
    var problems: [String] = []
    var balance = Amount.zero
    var last = SequenceNumber.none
    for call in ordered {
      if call.sequence <= last { problems.append("\(call) has the sequence number of another call") }
      last = call.sequence
      switch call.outcome {
      case .debited(let receipt):
        balance = call.verb == .grant ? balance + receipt.amount : balance - receipt.amount
        if receipt.amount != call.amount || receipt.balance != balance || balance < .zero {
          problems.append("\(call) should have left \(balance)")
          balance = receipt.balance
        }
      case .denied(let denial):
        guard case .insufficient(let available, let needed) = denial.reason else { continue }
        if available != balance || needed != call.amount || needed <= balance {
          problems.append("\(call) was denied where \(balance) was there")
        }
      }
    }
    return problems
  }

  private static func isSame(_ left: Outcome, _ right: Outcome) -> Bool {
    switch (left, right) {
    case (.debited(let left), .debited(let right)):
      left.sequence == right.sequence && left.amount == right.amount && left.balance == right.balance
        && left.time == right.time
    case (.denied(let left), .denied(let right)): left.sequence == right.sequence && left.reason == right.reason
    default: false
    }
  }
}
