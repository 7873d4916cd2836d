import Credits

/// The examples of the guide "Getting started".
enum GettingStartedExamples {
  static func open(folder: String) async throws -> CreditStore {
    // snippet: open-with-settings
    var settings = Settings()
    settings.residentAccounts = 200_000
    settings.windowAge = .seconds(48 * 3_600)
    let store = try CreditStore.open(at: folder, settings: settings)
    // end
    return store
  }

  static func grant(store: CreditStore) async throws {
    // snippet: grant
    let alice = try await store.open("user_alice")
    try await store.grant(
      100, to: alice, source: .allowance, expires: Timestamp("2026-12-01"), request: "allowance-2026-11")
    try await store.grant(500, to: alice, source: .purchase("order-17"), request: "order-17")
    try await store.grant(20, to: alice, source: .promotion("autumn"), request: "autumn-alice")
    // end
  }

  static func replay(store: CreditStore, alice: AccountID) async throws {
    // snippet: replay
    let first = try await store.debit(3.5, from: alice, request: "req-7")
    let again = try await store.debit(3.5, from: alice, request: "req-7")
    if case .debited(let one) = first, case .debited(let other) = again {
      print(one.sequence == other.sequence)  // true: one entry, one debit
      print(other.isReplay)  // true: nothing was taken the second time
    }
    // end
  }

  static func requestWithTime(store: CreditStore, alice: AccountID, now: Timestamp) async throws {
    // snippet: request-with-time
    let request = RequestID(at: now)
    let outcome = try await store.debit(1, from: alice, request: request)
    // end
    print(outcome)
  }

  static func upTo(store: CreditStore, alice: AccountID) async throws {
    // snippet: up-to
    let outcome = try await store.debit(1_000, from: alice, request: "req-8", extent: .upTo)
    if case .debited(let receipt) = outcome { print("taken:", receipt.amount) }
    // end
  }

  static func batch(store: CreditStore, alice: AccountID, bob: AccountID) async throws {
    // snippet: batch
    let batch = [
      Debit(0.25, from: alice, request: "req-10"),
      Debit(0.75, from: bob, request: "req-11"),
    ]
    for outcome in try await store.debit(batch) {
      if case .denied(let denial) = outcome { print(denial.reason.code) }
    }
    // end
  }

  static func applied(store: CreditStore, alice: AccountID) async throws {
    // snippet: applied
    let outcome = try await store.debit(3.5, from: alice, request: "req-9", acknowledge: .applied)
    guard case .debited(let receipt) = outcome else { return }
    print("start the work; left:", receipt.balance)
    try await store.sync(receipt)
    print("the debit is durable: finish the work")
    // end
  }

  static func balance(store: CreditStore, alice: AccountID) throws {
    // snippet: balance
    if let balance = try store.balance(of: alice) { print(balance.available) }
    if store.canAfford(3.5, alice) { print("enough for one more") }
    if let account = try store.account(alice) {
      for grant in account.grants { print(grant.kind, grant.remaining, grant.expires) }
    }
    // end
  }

  static func follow(store: CreditStore, alice: AccountID) async {
    // snippet: follow
    for await balance in store.balances(of: alice) {
      print(balance.available, "at version", balance.version)
      if balance.available < 100 { break }
    }
    // end
  }

  static func history(store: CreditStore, alice: AccountID) async throws {
    // snippet: history
    for entry in try await store.history(of: alice, limit: 20).entries {
      print(entry.time, entry.kind, entry.amount, "available:", entry.available)
    }
    if let explanation = try await store.explain("req-7", of: alice) {
      print("before:", explanation.entry.availableBefore, "after:", explanation.entry.available)
      for part in explanation.entry.parts { print("grant", part.grant, "gave", part.amount) }
    }
    // end
  }

  static func failures(store: CreditStore, alice: AccountID) async {
    // snippet: failures
    do throws(StoreError) {
      let outcome = try await store.debit(1, from: alice, request: "req-12")
      print(outcome)
    } catch .overloaded {
      print("busy: repeat with the same request id")
    } catch {
      print(error.code, error)
    }
    // end
  }

  static func manualClock(folder: String) async throws -> Balance? {
    // snippet: manual-clock
    let clock = StoreClock.Manual(Timestamp(seconds: 1_800_000_000))
    var settings = Settings()
    settings.clock = .manual(clock)
    settings.clockJump = .seconds(366 * 86_400)
    settings.durability = .unsynced
    let store = try CreditStore.open(at: folder, settings: settings)
    let alice = try await store.open("user_alice")
    try await store.grant(
      10, to: alice, source: .promotion("trial"), expires: clock.now + .seconds(7 * 86_400), request: "trial")
    clock.advance(by: .seconds(7 * 86_400))
    try await store.tick()
    print(try store.balance(of: alice)?.available ?? .zero)  // 0: the grant has expired
    // end
    let balance = try store.balance(of: alice)
    try await store.close()
    return balance
  }
}
