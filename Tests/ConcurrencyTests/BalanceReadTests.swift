import Credits
import Testing

@Suite("Balances that are read while others change them")
struct BalanceReadTests {
  /// With one account, and debits of one credit only, the version says how many there were.
  @Test("G4: available credits and version of a balance are always of one moment, whoever debits meanwhile")
  func whole() async throws {
    let test = try TestStore()
    let store = test.store
    let account = AccountID(7)
    try await store.open(account)
    let given: Int64 = 1_000_000
    try await store.grant(credits(given), to: account, source: .allowance, request: "g")
    let debits: UInt64 = isSanitized ? 4_000 : 20_000
    let torn = try await withThrowingTaskGroup(of: Int.self) { group in
      for writer in UInt64(0)..<2 {
        group.addTask {
          for number in 0..<debits {
            let request = RequestID(high: writer + 1, low: number)
            _ = try await store.debit(1, from: account, request: request, acknowledge: .applied)
          }
          return 0
        }
      }
      for _ in 0..<2 {
        group.addTask {
          var (torn, last) = (0, SequenceNumber(0))
          while last.value < 2 + 2 * debits {
            guard let balance = try store.balance(of: account) else { return 1 }
            if balance.available != credits(given - Int64(balance.version.value) + 2) || balance.version < last {
              torn += 1
            }
            last = max(last, balance.version)
          }
          return torn
        }
      }
      return try await group.reduce(0, +)
    }
    #expect(torn == 0)
    try await store.close()
  }

  @Test("G9: while accounts come into memory and leave it, a balance is always that of the account asked for")
  func own() async throws {
    let test = try TestStore {
      $0.residentAccounts = 1_024
      $0.checkpointEntries = 1_024
    }
    let store = test.store
    let accounts: UInt64 = 4_000
    for number in 1...accounts {
      try await store.open(AccountID(number), acknowledge: .applied)
      try await store.grant(
        credits(Int64(number)), to: AccountID(number), source: .allowance, request: "g", acknowledge: .applied)
    }
    let wrong = try await withThrowingTaskGroup(of: Int.self) { group in
      for reader in UInt64(0)..<4 {
        group.addTask {
          var wrong = 0
          for step in 0..<UInt64(10_000) {
            let number = (step &* 2_654_435_761 &+ reader &* 977) % accounts + 1
            if try store.balance(of: AccountID(number))?.available != credits(Int64(number)) { wrong += 1 }
            if !store.canAfford(credits(Int64(number)), AccountID(number)) { wrong += 1 }
            if store.canAfford(credits(Int64(number + 1)), AccountID(number)) { wrong += 1 }
          }
          return wrong
        }
      }
      return try await group.reduce(0, +)
    }
    #expect(wrong == 0)
    try await store.close()
  }

  private func credits(_ whole: Int64) -> Amount { Amount(millionths: whole * 1_000_000) }
}
