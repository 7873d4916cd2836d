import Credits

/// The examples of the guide "Holds".
enum HoldExamples {
  static func capture(store: CreditStore, alice: AccountID) async throws {
    // snippet: hold-and-capture
    let hold = try await store.hold(120, on: alice, for: .seconds(600), request: "chat-1")
    let outcome = try await store.capture(hold, amount: 87.25)
    print("taken:", outcome.captured, "left:", outcome.receipt.balance)
    // end
  }

  static func denied(store: CreditStore, alice: AccountID) async throws {
    // snippet: hold-denied
    do throws(StoreError) {
      let hold = try await store.hold(1_000_000, on: alice, for: .seconds(600), request: "chat-2")
      print("set aside:", hold.amount)
    } catch .denied(let denial) {
      print("do not start:", denial.reason)
    }
    // end
  }

  static func more(store: CreditStore, alice: AccountID) async throws {
    // snippet: capture-more
    let hold = try await store.hold(20, on: alice, for: .seconds(600), request: "chat-3")
    let outcome = try await store.capture(hold, amount: 35)
    switch outcome.excess {
    case .debited(let receipt)?: print(outcome.receipt.amount, "held and", receipt.amount, "more were taken")
    case .denied(let denial)?: print(outcome.receipt.amount, "were taken, the rest was denied:", denial.reason)
    case nil: print("the hold covered it")
    }
    // end
  }

  static func release(store: CreditStore, alice: AccountID) async throws {
    // snippet: release
    let hold = try await store.hold(20, on: alice, for: .seconds(600), request: "chat-4")
    try await store.release(hold)
    // end
  }

  /// What a model answered.
  struct Answer {
    let text: String
    let inputTokens: UInt64
    let outputTokens: UInt64
  }

  /// A model that has one answer to everything.
  static func complete(_ prompt: String) async throws -> Answer {
    Answer(text: "Rayleigh scattering.", inputTokens: UInt64(prompt.count), outputTokens: 20)
  }

  static func byUsage(store: CreditStore, alice: AccountID) async throws {
    // snippet: hold-usage
    let most = Usage("chat", model: "large", units: ["input": 2_000, "output": 4_096])
    let hold = try await store.hold(for: most, on: alice, lasting: .seconds(600), request: "chat-5")
    let answer = try await complete("Why is the sky blue?")
    let used = Usage("chat", model: "large", units: ["input": answer.inputTokens, "output": answer.outputTokens])
    let outcome = try await store.capture(hold, for: used)
    // end
    print(outcome)
  }

  static func withHold(store: CreditStore, alice: AccountID) async throws {
    // snippet: with-hold
    let (answer, outcome) = try await store.withHold(120, on: alice, for: .seconds(600), request: "chat-7") { _ in
      let answer = try await complete("Why is the sky blue?")
      let units = ["input": answer.inputTokens, "output": answer.outputTokens]
      return (answer, cost: try store.quote(for: Usage("chat", units: units)).amount)
    }
    print(answer.text, "cost", outcome.captured)
    // end
  }

  static func open(store: CreditStore, alice: AccountID) async throws {
    // snippet: open-holds
    for hold in try store.account(alice)?.holds ?? [] {
      print(hold.request, "holds", hold.amount, "until", hold.deadline)
    }
    // end
  }

  static func late(store: CreditStore, alice: AccountID, hold: Hold) async throws {
    // snippet: capture-late
    let outcome = try await store.capture(hold, amount: 40)
    if outcome.cause == .deadline, outcome.captured == 0 {
      let late = try await store.debit(40, from: alice, request: "chat-8-late", extent: .upTo)
      print("the hold had ended:", late)
    }
    // end
  }
}
