internal import Credits

/// Looks whether what callers were told could have come about one call at a time on each account, in an order that
/// agrees with real time and with the rules.
///
/// The order is that of the journal. It is not believed: each entry must be what the rules make of the account's state
/// (`Model`), must be what its caller was told, and must lie between that call's beginning and its end. A position in
/// an account's order is twice the index of an entry, or one more for the state after it.
struct Checker {
  let history: History
  private(set) var problems: [String] = []
  /// The balances that were read, the repetitions, and the calls that overlapped an earlier one on the same account.
  private(set) var (reads, replays, overlapping) = (0, 0, 0)

  /// The most problems that are told of an account.
  private static let most = 5

  init(_ history: History) { self.history = history }

  /// Checks all accounts.
  mutating func run() {
    problems = history.findings
    let accounts = history.plan.profile.accounts
    let events = groups(history.events, accounts) { Int($0.account) }
    let calls = groups(history.calls, accounts) { Int($0.account) }
    for account in 0..<accounts {
      var check = AccountCheck(history, account, events[account], calls[account])
      check.run()
      reads += check.reads
      replays += check.replays
      overlapping += check.overlapping
      problems += check.problems.prefix(Checker.most).map { "account \(account): \($0)" }
    }
    checkSequence()
  }

  private func groups<T>(_ values: [T], _ count: Int, _ key: (T) -> Int) -> [[Int32]] {
    var groups = [[Int32]](repeating: [], count: count)
    for index in values.indices { groups[key(values[index])].append(Int32(index)) }
    return groups
  }

  /// Sequence numbers are handed out in the order of real time, across all accounts.
  private mutating func checkSequence() {
    var owners: [Int] = []
    for (index, call) in history.calls.enumerated()
    where !call.isReplay && call.sequence > 0 && (call.answer == .done || call.answer == .insufficient)
      && (call.verb == .request || call.verb == .end)
    {
      owners.append(index)
    }
    let calls = history.calls
    let byReturn = owners.sorted { calls[$0].returned < calls[$1].returned }
    let byBegin = owners.sorted { calls[$0].began < calls[$1].began }
    var (next, highest): (Int, UInt64) = (0, 0)
    for index in byBegin {
      while next < byReturn.count, calls[byReturn[next]].returned < calls[index].began {
        highest = max(highest, calls[byReturn[next]].sequence)
        next += 1
      }
      if calls[index].sequence < highest {
        problems.append("\(calls[index]) has a number below \(highest), which had been told before it began")
        return
      }
    }
  }
}
