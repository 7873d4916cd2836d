import Credits

/// The examples of the guide "Plans".
enum PlanExamples {
  static func subscribe(store: CreditStore, alice: AccountID) async throws {
    // snippet: subscribe
    let pro = Plan("pro", allowance: 1_000, per: .month, rollover: 200)
    try await store.subscribe(alice, to: pro, request: "subscription-17")
    if let plan = try store.account(alice)?.plan { print(plan.plan.name, "renews at", plan.next) }
    // end
  }

  static func anchor(store: CreditStore, bob: AccountID) async throws {
    // snippet: subscribe-anchor
    try await store.subscribe(
      bob, to: Plan("pro", allowance: 1_000, per: .month), anchor: Timestamp("2027-01-31"), request: "subscription-18")
    // end
  }

  static func change(store: CreditStore, alice: AccountID) async throws {
    // snippet: change-plan
    let team = Plan("team", allowance: 5_000, per: .month, rollover: 200)
    let receipt = try await store.subscribe(alice, to: team, request: "upgrade-17")
    print("more at once:", receipt.amount)  // 4000
    // end
  }

  static func cancel(store: CreditStore, alice: AccountID) async throws {
    // snippet: unsubscribe
    try await store.unsubscribe(alice, request: "cancel-17")
    // end
  }
}
