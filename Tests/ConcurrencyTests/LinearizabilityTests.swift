import CrashSupport
import Credits
import Testing

@Suite("A recorded history")
struct LinearizabilityTests {
  /// Records debits, grants and repetitions of eight tasks on some accounts.
  private func record(_ store: CreditStore, accounts: UInt64, steps: Int) async throws -> History {
    let moments = Moments()
    var history = try await withThrowingTaskGroup(of: [History.Call].self) { group in
      for task in 1...8 as ClosedRange<UInt64> {
        group.addTask {
          var dice = Dice(task)
          var calls: [History.Call] = []
          for step in 0..<UInt64(steps) {
            var call = History.Call(
              verb: dice.roll(1...6) == 1 ? .grant : .debit, account: AccountID(UInt64(dice.roll(1...Int(accounts)))),
              request: RequestID(high: task, low: step), amount: Amount(millionths: Int64(dice.roll(1...8_000_000))),
              began: 0, returned: 0, outcome: .denied(.none))
            // Now and then somebody repeats what another task may be about to do, or has done.
            if dice.roll(1...10) == 1, let earlier = calls.randomElement(using: &dice) { call = earlier }
            call.began = moments.now
            call.outcome = try await LinearizabilityTests.perform(call, on: store, isApplied: dice.roll(1...3) == 1)
            call.returned = moments.now
            calls.append(call)
          }
          return calls
        }
      }
      return try await group.reduce(into: History()) { $0.calls += $1 }
    }
    // What is acknowledged as applied only must be durable before the journal is looked at.
    try await store.sync()
    history.calls.shuffle()
    return history
  }

  private static func perform(_ call: History.Call, on store: CreditStore, isApplied: Bool) async throws(StoreError)
    -> Outcome
  {
    let wait: Acknowledgement = isApplied ? .applied : .durable
    switch call.verb {
    case .debit:
      return try await store.debit(call.amount, from: call.account, request: call.request, acknowledge: wait)
    case .grant:
      return .debited(
        try await store.grant(
          call.amount, to: call.account, source: .allowance, request: call.request, acknowledge: wait))
    }
  }

  /// Opens accounts with nothing, since a history begins at zero.
  private func emptyAccounts(_ store: CreditStore, _ accounts: UInt64) async throws {
    for number in 1...accounts { try await store.open(AccountID(number)) }
  }

  @Test("G4: is one that could have happened one call at a time, in the order of real time")
  func isLinearizable() async throws {
    let test = try TestStore { $0.checkpointEntries = 1_024 }
    try await emptyAccounts(test.store, 12)
    let history = try await record(test.store, accounts: 12, steps: isSanitized ? 150 : 1_500)
    let violations = history.violations()
    #expect(violations.isEmpty)
    #expect(history.calls.contains { $0.isReplay })
    #expect(history.calls.contains { if case .denied = $0.outcome { true } else { false } })
    try await test.store.close()
  }

  @Test("that has a lost update, a double grant, a stale denial or a late order is told from a good one")
  func seededFaults() async throws {
    let test = try TestStore()
    try await emptyAccounts(test.store, 2)
    let good = try await record(test.store, accounts: 2, steps: 60)
    #expect(good.violations().isEmpty)
    let ordered = good.calls.filter { !$0.isReplay && $0.account == AccountID(1) }.sorted { $0.sequence < $1.sequence }
    let debits = ordered.indices.filter { index in
      if ordered[index].verb == .debit, case .debited = ordered[index].outcome { true } else { false }
    }

    // A lost update: a debit's receipt says what was left as if the debit before had not been.
    var lost = good
    let pair = try #require(debits.first { $0 + 1 < ordered.count && debits.contains($0 + 1) })
    guard case .debited(let first) = ordered[pair].outcome, case .debited(let second) = ordered[pair + 1].outcome else {
      return
    }
    lost.replace(ordered[pair + 1], by: .debited(second.leaving(second.balance + first.amount)))
    #expect(!lost.violations().isEmpty)

    // A double grant: a repeated grant is carried out a second time.
    var doubled = good
    let grant = try #require(ordered.first { $0.verb == .grant })
    guard case .debited(let given) = grant.outcome else { return }
    var again = grant
    again.began = .max - 1
    again.returned = .max
    again.outcome = .debited(given.numbered(1 << 40).leaving(given.balance + given.amount))
    doubled.calls.append(again)
    #expect(!doubled.violations().isEmpty)

    // A denial that saw a balance that was not there.
    var stale = good
    let denied = try #require(ordered.last { if case .denied = $0.outcome { true } else { false } })
    guard case .denied(let denial) = denied.outcome else { return }
    stale.replace(denied, by: .denied(denial.seeing(1 << 50)))
    #expect(!stale.violations().isEmpty)

    // A call that returned before another began, and yet comes after it.
    var late = good
    late.calls = late.calls.map { call in
      var call = call
      if call.sequence == ordered[0].sequence, !call.isReplay { (call.began, call.returned) = (.max - 1, .max) }
      return call
    }
    #expect(!late.violations().isEmpty)
    try await test.store.close()
  }
}

extension History {
  /// Gives a call another outcome.
  fileprivate mutating func replace(_ call: Call, by outcome: Outcome) {
    guard let index = calls.firstIndex(where: { $0.began == call.began }) else { return }
    calls[index].outcome = outcome
  }
}

extension Receipt {
  fileprivate func leaving(_ balance: Amount) -> Receipt {
    Receipt(sequence: sequence, time: time, amount: amount, balance: balance, isReplay: isReplay)
  }

  fileprivate func numbered(_ number: UInt64) -> Receipt {
    Receipt(sequence: SequenceNumber(number), time: time, amount: amount, balance: balance, isReplay: isReplay)
  }
}

extension Denial {
  fileprivate static var none: Denial { Denial(reason: .invalid, sequence: nil, time: .zero, isReplay: false) }

  fileprivate func seeing(_ millionths: Int64) -> Denial {
    Denial(
      reason: .insufficient(available: Amount(millionths: millionths), needed: 1), sequence: sequence, time: time,
      isReplay: isReplay)
  }
}
