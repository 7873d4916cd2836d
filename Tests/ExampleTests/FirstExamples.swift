import Credits

/// The examples of the README and of the documentation comments.
enum FirstExamples {
  static func firstDebit(folder: String) async throws {
    // snippet: first-debit
    let store = try CreditStore.open(at: folder)
    let alice = try await store.open("user_alice")
    try await store.grant(500, to: alice, source: .purchase("order-17"), request: "order-17")
    switch try await store.debit(3.5, from: alice, request: "req-1") {
    case .debited(let receipt): print("left:", receipt.balance)
    case .denied(let denial): print(denial.reason)
    }
    try await store.close()
    // end
  }

  static func identifiers() -> [AccountID?] {
    // snippet: identifiers
    let alice: AccountID = "user_alice"  // any text, hashed
    let bob = AccountID(42)  // an integer
    let carol = AccountID(uuid: "018f6e2a-7c1b-7def-8123-456789abcdef")
    // end
    return [alice, bob, carol]
  }

  static func reader(folder: String) throws {
    // snippet: reader
    let reader = try CreditReader.open(at: folder)
    if let balance = try reader.balance(of: "user_alice") { print(balance.available) }
    // end
  }
}
