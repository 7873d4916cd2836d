import ArgumentParser
import Credits

struct CorrectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "correct",
    abstract: "Make a wrong debit good, once, by new credits that name it.",
    discussion: """
      A debit is never undone, and credits never move between accounts. The correction gives at most what the debit took; \
      'explain' shows the debit and its correction, each at the other.

        creditctl history user_alice
        creditctl correct user_alice 17 30 --reason "wrong model" --agent ann
      """)

  @OptionGroup var options: StoreOptions
  @OptionGroup var request: RequestOption

  @Argument(help: "The account.")
  var account: AccountArgument

  @Argument(help: "The entry of the debit, or of a hold's capture, as history shows it.")
  var entry: UInt64

  @Argument(help: "The credits to give.")
  var amount: PositiveAmount

  @Option(name: .long, help: "Why, for the record.")
  var reason: String

  @Option(name: .long, help: "Who decided it, for the record.")
  var agent: String

  func validate() throws {
    for (name, text) in [("reason", reason), ("agent", agent)] where !(1...Name.maximumText).contains(text.utf8.count) {
      throw ValidationError("--\(name) has from 1 to \(Name.maximumText) bytes")
    }
  }

  func run() async throws {
    let request = request.resolved
    try await options.change(
      "corrected", account, request,
      sentence: {
        "gave \($0.amount.grouped) credits to \(account.name) for entry \(entry); "
          + "\($0.balance.grouped) are available"
      }, extra: { _ in [("corrects", .number(entry))] }
    ) { store in
      try await store.correct(
        SequenceNumber(entry), of: account.id, by: amount.amount, reason: reason, agent: agent, request: request.id)
    }
  }
}

struct DisputeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dispute",
    abstract: "Note that a charge was disputed, or failed, after it was credited.",
    discussion: """
      The credits stay, and auto-refill stops until it is resumed; freeze the account if they must not be spent. History \
      shows the numbers of charges.

        creditctl dispute user_alice 3 --reason "chargeback"
      """)

  @OptionGroup var options: StoreOptions
  @OptionGroup var request: RequestOption

  @Argument(help: "The account.")
  var account: AccountArgument

  @Argument(help: "The charge's number.")
  var charge: UInt32

  @Option(name: .long, help: "Why, for the record.")
  var reason: String

  func run() async throws {
    let request = request.resolved
    try await options.change(
      "disputed", account, request,
      sentence: {
        "charge \(charge) of \(account.name) is disputed; its credits stay (\($0.balance.grouped) available), "
          + "and auto-refill stops until it is resumed"
      }, extra: { _ in [("charge", .number(charge))] }
    ) { store in
      try await store.dispute(charge: charge, of: account.id, reason: reason, request: request.id)
    }
  }
}
