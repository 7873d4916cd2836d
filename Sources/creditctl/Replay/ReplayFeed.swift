import Credits

/// Checks the logs from start to end, then turns them into rounds of debits, one list a caller, while the round before
/// is under way.
///
/// All debits of an account are in the list of one caller, in the order of the log: the balances that a replay ends
/// with do not depend on the number of callers.
actor ReplayFeed {
  /// The debits of a round, by caller, and the number of lines they were made from.
  struct Round: Sendable {
    var debits: [[UsageDebit]]
    var lines: UInt64 = 0
  }

  private let logs: [UsageLog]
  private let prices: ReplayPrices
  private var repetition = 0
  private var file = 0
  private var ordinal: UInt64 = 0
  private var isAtStart = true

  /// Opens the logs, each with the feature of its lines that name none.
  init(
    _ files: [(path: String, feature: String)], _ columns: UsageColumns, _ format: UsageLog.Format?,
    _ prices: ReplayPrices
  ) throws(UsageLogError) {
    var logs: [UsageLog] = []
    for file in files {
      logs.append(try UsageLog(path: file.path, columns: columns, format: format, feature: file.feature))
    }
    self.logs = logs
    self.prices = prices
  }

  /// Reads all logs once and throws the first thing that is wrong with them.
  func check() throws(UsageLogError) -> UsageCheck { try UsageCheck(logs, prices) }

  /// The next round, of so many lines; nil at the end of the last repetition.
  func next(_ plan: ReplayPlan, size: Int) throws(UsageLogError) -> Round? {
    var round = Round(debits: Array(repeating: [], count: plan.callers))
    while round.lines < size, let line = try line(plan) {
      let number = ordinal
      ordinal += 1
      round.lines += 1
      let account = plan.account(of: number)
      round.debits[account % plan.callers].append(
        UsageDebit(
          prices.usage(of: line, feature: logs[file].feature), from: plan.accounts[account],
          request: plan.request(of: number)))
    }
    return round.lines == 0 ? nil : round
  }

  private func line(_ plan: ReplayPlan) throws(UsageLogError) -> UsageLine? {
    while repetition < plan.repeats {
      if isAtStart {
        try logs[file].rewind()
        isAtStart = false
      }
      if let line = try logs[file].next(checkingTime: false) { return line }
      try logs[file].checkUnchanged()
      isAtStart = true
      file += 1
      if file == logs.count { (file, repetition) = (0, repetition + 1) }
    }
    return nil
  }
}
