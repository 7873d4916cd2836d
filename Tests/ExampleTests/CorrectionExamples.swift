import Credits

/// The examples of the guide "Corrections".
enum CorrectionExamples {
  static func find(store: CreditStore, alice: AccountID) async throws {
    // snippet: find-debit
    for entry in try await store.history(of: alice, limit: 50).entries where entry.kind == .debited {
      print(entry.sequence, entry.time, entry.request?.description ?? "", entry.amount, entry.usage?.description ?? "")
    }
    // end
  }

  static func show(store: CreditStore, alice: AccountID) async throws {
    // snippet: show-debit
    if let explanation = try await store.explain("req-40", of: alice) {
      let entry = explanation.entry
      print("entry", entry.sequence, "took", entry.amount, "of", entry.availableBefore, "at", entry.time)
      if let price = explanation.price { print(price) }
      for part in entry.parts { print("grant", part.grant, "gave", part.amount) }
      for grant in explanation.grants { print("from", grant.source?.kind.description ?? "plan", "of", grant.time) }
      if let correction = explanation.correction { print("made good by entry", correction.sequence) }
    }
    // end
  }

  static func correct(store: CreditStore, alice: AccountID) async throws {
    // snippet: correct
    if let debit = try await store.explain("req-40", of: alice)?.entry {
      try await store.correct(
        debit.sequence, of: alice, by: debit.amount, reason: "ticket 4711: the model failed, the answer was empty",
        agent: "kim@support", request: "ticket-4711")
    }
    // end
  }

  static func dispute(store: CreditStore, alice: AccountID, charge: UInt32) async throws {
    // snippet: dispute
    try await store.dispute(charge: charge, of: alice, reason: "chargeback du_17", request: "du_17")
    try await store.freeze(alice, reason: "chargeback du_17", request: "freeze-du_17")
    // end
  }
}
