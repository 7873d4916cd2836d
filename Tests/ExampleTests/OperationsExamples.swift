import Credits

/// The examples of the guide "Operations".
enum OperationsExamples {
  static func retention(folder: String) async throws -> CreditStore {
    // snippet: retention
    var settings = Settings()
    settings.retention = .age(.seconds(90 * 86_400))
    let store = try CreditStore.open(at: folder, settings: settings)
    // end
    return store
  }

  static func export(store: CreditStore, cutoff: Timestamp) async throws {
    // snippet: export-and-trim
    try store.forEachEntry { entry in
      guard entry.time < cutoff else { return false }
      print(entry.sequence, entry.time, entry.kind, entry.account, entry.amount, entry.available)
      return true
    }
    let trimmed = try await store.trim(before: cutoff)
    print("deleted \(trimmed.entries) entries; the first that is kept is \(trimmed.firstKept)")
    // end
  }

  static func backup(store: CreditStore, copy: String) async throws {
    // snippet: backup
    try await store.backup(to: copy)
    let report = try await CreditReader.open(at: copy).verify()
    if let problem = report.problem { print("the backup is damaged:", problem) }
    // end
  }

  static func statistics(store: CreditStore) throws {
    // snippet: statistics
    let now = try store.statistics()
    print("durable up to:", now.last, "replay after a crash:", now.last.value - now.checkpoint.value)
    print("file:", now.fileBytes, "in use:", now.usedBytes, "limit:", now.mapBytes)
    // end
  }

  static func acceptClock(store: CreditStore, alice: AccountID) async throws {
    // snippet: accept-clock
    do throws(StoreError) {
      let outcome = try await store.debit(1, from: alice, request: "req-13")
      print(outcome)
    } catch .clockJumped(let from, let to) {
      print("the clock went from \(from) to \(to)")
      store.acceptClock()  // only once somebody has found the new time to be right
    }
    // end
  }
}
