import Credits

/// The examples of the guide "Events".
enum EventExamples {
  static func alerts(store: CreditStore, alice: AccountID) async throws {
    // snippet: alerts
    try await store.setAlerts([100, 20], for: alice, request: "alerts-alice")
    // end
  }

  static func mailer(store: CreditStore) async throws {
    // snippet: events
    try await store.addConsumer("mailer")
    for try await event in store.events(for: "mailer") {
      if event.kind == .alerted { print("below", event.amount, "on", event.account) }
      try await store.acknowledge(event.sequence, by: "mailer")
    }
    // end
  }

  /// Where a consumer sends its mail; takes a key, so that nothing is sent twice.
  actor Outbox {
    private(set) var sent: [String: String] = [:]
    func send(_ text: String, key: String) { sent[key] = text }
  }

  static func idempotent(store: CreditStore, mail: Outbox) async throws {
    // snippet: idempotent-consumer
    try await store.addConsumer("receipts")
    for try await event in store.events(for: "receipts", of: [.exhausted, .credited, .needsAction]) {
      await mail.send("\(event.kind) on \(event.account)", key: "event-\(event.sequence)")
      try await store.acknowledge(event.sequence, by: "receipts")
    }
    // end
  }

  static func warehouse(store: CreditStore) async throws {
    // snippet: all-entries
    try await store.addConsumer("warehouse")
    var seen = 0
    for try await entry in store.events(for: "warehouse", of: Set(JournalEntry.Kind.allCases)) {
      print(entry.sequence, entry.kind, entry.amount)
      seen += 1
      if seen % 1_000 == 0 { try await store.acknowledge(entry.sequence, by: "warehouse") }
    }
    // end
  }

  static func lag(store: CreditStore) async throws {
    // snippet: consumer-lag
    let last = try store.statistics().last
    for (name, cursor) in store.consumers { print(name, "is behind by", last.value - cursor.value) }
    // end
  }
}
