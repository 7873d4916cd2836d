import Credits
import CreditsTesting
import Harness

/// The kinds of calls, one after the other on the same store.
enum Micro {
  /// The name of the measurement that shows that the counter counts.
  static let proof = "a known allocation"

  static func run(accounts: Int, calls: Int) async throws -> [Measurement] {
    let place = TemporaryStore()
    var settings = Settings()
    settings.durability = .unsynced
    settings.residentAccounts = max(settings.residentAccounts, accounts * 5 / 4)
    let store = try CreditStore.open(at: place.path, settings: settings)
    try await fill(store, accounts)
    let bench = Bench(store: store, spread: Distribution(.uniform, accounts: accounts), calls: calls)
    var all = try await bench.counter()
    all += try await bench.reads()
    all += try await bench.debits()
    all += try await bench.repetitions()
    try await store.close()
    return all
  }

  private static func fill(_ store: CreditStore, _ accounts: Int) async throws {
    for number in 1...accounts {
      let account = AccountID(UInt64(number))
      try await store.open(account, acknowledge: .applied)
      try await store.grant(
        1_000_000, to: account, source: .promotion("load"), request: RequestID(1), acknowledge: .applied)
    }
    let chat = PriceBook.Feature("chat", rates: [.init(unit: "tokens", amount: 0.000_002)])
    try await store.publish(PriceBook("micro", features: [chat]))
  }

  /// What the measurements share.
  private struct Bench {
    let store: CreditStore
    let spread: Distribution
    let calls: Int

    /// Shows that the counter sees an allocation of this program and one of the Swift runtime, and nothing else.
    func counter() async throws -> [Measurement] {
      [
        try await Micro.measure("an empty loop", calls: calls) { calls in
          var dice = Dice(1)
          var sum = 0
          for _ in calls { sum &+= spread.next(&dice) }
          precondition(sum > 0, "account numbers start at 1")
        },
        try await Micro.measure(proof, calls: calls) { calls in
          for call in calls { unsafe Kept.thing = Thing(call) }
        },
      ]
    }

    func reads() async throws -> [Measurement] {
      let usage = Usage("chat", units: 4_808)
      return [
        try await Micro.measure("balance", calls: calls) { calls in
          var dice = Dice(2)
          var sum: Int64 = 0
          for _ in calls { sum &+= try store.balance(of: account(&dice))?.available.millionths ?? 0 }
          precondition(sum > 0, "all accounts have credits")
        },
        try await Micro.measure("canAfford an amount", calls: calls) { calls in
          var dice = Dice(3)
          for _ in calls { precondition(store.canAfford(3.5, account(&dice)), "all accounts have credits") }
        },
        try await Micro.measure("canAfford usage", calls: calls) { calls in
          var dice = Dice(4)
          for _ in calls { precondition(store.canAfford(usage, account(&dice)), "all accounts have credits") }
        },
        try await Micro.measure("quote for usage", calls: calls) { calls in
          var sum: Int64 = 0
          for _ in calls { sum &+= try store.quote(for: usage).amount.millionths }
          precondition(sum > 0, "usage has a price")
        },
      ]
    }

    func debits() async throws -> [Measurement] {
      let usage = Usage("chat", units: 4_808)
      let quote = try store.quote(for: usage)
      return [
        try await Micro.measure("debit, applied", calls: calls, settle: settle) { calls in
          var dice = Dice(5 &+ calls.lowerBound)
          for call in calls {
            _ = try await store.debit(1, from: account(&dice), request: request(1, call), acknowledge: .applied)
          }
        },
        try await Micro.measure("debit by usage, applied", calls: calls, settle: settle) { calls in
          var dice = Dice(6 &+ calls.lowerBound)
          for call in calls {
            _ = try await store.debit(
              for: usage, from: account(&dice), request: request(2, call), acknowledge: .applied)
          }
        },
        try await Micro.measure("debit by quote, applied", calls: calls, settle: settle) { calls in
          var dice = Dice(7 &+ calls.lowerBound)
          for call in calls {
            _ = try await store.debit(quote, from: account(&dice), request: request(3, call), acknowledge: .applied)
          }
        },
        try await Micro.measure("debit in a batch of 1,000, applied", calls: calls, settle: settle) { calls in
          var dice = Dice(8 &+ calls.lowerBound)
          let batch = calls.map { Debit(1, from: account(&dice), request: request(4, $0)) }
          _ = try await store.debit(batch, acknowledge: .applied)
        },
        try await Micro.measure("debit denied, applied", calls: calls, settle: settle) { calls in
          var dice = Dice(9 &+ calls.lowerBound)
          for call in calls {
            _ = try await store.debit(
              2_000_000, from: account(&dice), request: request(5, call), acknowledge: .applied)
          }
        },
      ]
    }

    /// The look-up in the request window, whose hit is confirmed against the journal.
    func repetitions() async throws -> [Measurement] {
      let known = AccountID(7)
      for call in 0..<1_000 { _ = try await store.debit(1, from: known, request: request(6, call)) }
      return [
        try await Micro.measure("debit repeated, applied", calls: min(calls, 20_000)) { calls in
          for call in calls {
            _ = try await store.debit(1, from: known, request: request(6, call % 1_000), acknowledge: .applied)
          }
        }
      ]
    }

    /// Lets the committer catch up, so that no call of a part waits for it.
    private func settle() async throws { try await store.sync() }

    private func account(_ dice: inout Dice) -> AccountID { AccountID(UInt64(spread.next(&dice))) }

    private func request(_ kind: UInt64, _ call: Int) -> RequestID { RequestID(high: kind, low: UInt64(call)) }
  }
}

/// An object that cannot be left out.
private final class Thing {
  let number: Int

  init(_ number: Int) { self.number = number }
}

/// Where an object is seen by everybody, so that it cannot be kept on the stack.
private enum Kept {
  // Safe: one task at a time measures.
  nonisolated(unsafe) static var thing: Thing?
}
