import ArgumentParser
import Credits

struct CaptureCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "capture",
    abstract: "Take what a hold's work has cost: less than held, as much, or more.",
    discussion: """
      What is left of the hold goes back to the grants it came from. What goes beyond it is a debit that may be denied; the \
      held part is taken all the same, and the exit code is then 1. A hold ends once: a repetition gets the first answer, \
      and the exit code is 1 where the hold was released before.

        creditctl capture user_alice chat-7 87.25
        creditctl capture user_alice chat-7 --feature chat --unit context=4808 --unit generated=912
        creditctl capture user_alice chat-7
      """)

  @OptionGroup var options: StoreOptions

  @Argument(help: "The account.")
  var account: AccountArgument

  @Argument(help: "The request that made the hold.")
  var request: RequestArgument

  @Argument(help: "What the work has cost; 0 or more. Default: all that is held.")
  var amount: Amount?

  @Option(name: .long, help: "Capture the price of this feature's usage, in place of an amount.")
  var feature: String?

  @OptionGroup var usage: UsageOptions

  func validate() throws {
    if let amount, amount < .zero { throw ValidationError("the cost is \(amount); it must not be negative") }
    _ = try usage(of: feature)
  }

  /// The usage to capture; nil for an amount, or for all that is held.
  private func usage(of feature: String?) throws -> Usage? {
    if feature == nil, usage.isEmpty { return nil }
    guard amount == nil else {
      throw ValidationError("give an amount, or a --feature whose price is the amount; not both")
    }
    guard case .usage(let usage) = try Asked(nil, feature, usage) else { return nil }
    return usage
  }

  func run() async throws {
    let usage = try usage(of: feature)
    try await HoldEnding.end(account, request, as: .captured, options) { store in
      if let usage { return try await store.capture(request.id, on: account.id, for: usage) }
      return try await store.capture(request.id, on: account.id, amount: amount)
    }
  }
}

struct ReleaseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "release",
    abstract: "Give all of a hold back.",
    discussion: """
      The credits go back to the grants they came from; what has expired meanwhile is booked as expired. A hold ends once: \
      a repetition gets the first answer, and the exit code is 1 where the hold was captured before.

        creditctl release user_alice chat-7
      """)

  @OptionGroup var options: StoreOptions

  @Argument(help: "The account.")
  var account: AccountArgument

  @Argument(help: "The request that made the hold.")
  var request: RequestArgument

  func run() async throws {
    try await HoldEnding.end(account, request, as: .released, options) { store in
      try await store.release(request.id, on: account.id)
    }
  }
}

/// Ends a hold and prints how it ended, by this command or before it.
enum HoldEnding {
  static func end(
    _ account: AccountArgument, _ request: RequestArgument, as wanted: JournalEntry.Kind, _ options: StoreOptions,
    _ work: (CreditStore) async throws -> HoldOutcome
  ) async throws {
    let (outcome, kind) = try await options.declining(account, request) { store in
      let outcome = try await work(store)
      let found = try? await store.explain(request.id, of: account.id)
      let end = found?.followers.first { $0.sequence == outcome.receipt.sequence }
      return (outcome, end?.kind ?? wanted)
    }
    try options.print(json(outcome, kind, account, request), lines(outcome, kind, account, request))
    if kind != wanted {
      if !options.json { Output.complain("declined: the hold was \(kind.rawValue) before, and ends once") }
      throw ExitStatus.declined
    }
    if case .denied(let denial)? = outcome.excess {
      if !options.json { Output.complain("declined: what goes beyond the hold: \(denial.reason)") }
      throw ExitStatus.declined
    }
  }

  private static func json(
    _ outcome: HoldOutcome, _ kind: JournalEntry.Kind, _ account: AccountArgument, _ request: RequestArgument
  ) -> JSON {
    let excess: JSON =
      switch outcome.excess {
      case nil: .null
      case .debited(let receipt)?: ReceiptFormat.json("debited", account, nil, receipt)
      case .denied(let denial)?: ReceiptFormat.json(denial, account, request)
      }
    return [
      "outcome": .string(kind.rawValue), "account": .text(account.id), "hold": .text(request.id),
      "sequence": .number(outcome.receipt.sequence.value), "time": .text(outcome.receipt.time),
      "captured": .text(outcome.captured), "of_hold": .text(outcome.receipt.amount),
      "available": .text(available(outcome)), "cause": .text(outcome.cause),
      "replay": .bool(outcome.receipt.isReplay), "excess": excess,
    ]
  }

  private static func lines(
    _ outcome: HoldOutcome, _ kind: JournalEntry.Kind, _ account: AccountArgument, _ request: RequestArgument
  ) -> [String] {
    let cause = outcome.cause == .deadline ? " by its deadline" : ""
    let what =
      kind == .captured
      ? "captured \(outcome.captured.grouped) credits of hold \(request.name)\(cause)"
      : "released hold \(request.name)\(cause)"
    var lines = ReceiptFormat.lines(
      "\(what); \(account.name) has \(available(outcome).grouped) available", nil, outcome.receipt)
    if case .debited(let more)? = outcome.excess {
      lines.append("of these, \(more.amount.grouped) go beyond the hold")
    }
    return lines + ["entry \(outcome.receipt.sequence)"]
  }

  /// What was available after the end, and after the debit beyond the hold.
  private static func available(_ outcome: HoldOutcome) -> Amount {
    if case .debited(let more)? = outcome.excess { more.balance } else { outcome.receipt.balance }
  }
}
