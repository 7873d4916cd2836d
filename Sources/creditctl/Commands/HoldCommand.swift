import ArgumentParser
import Credits

struct HoldCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hold",
    abstract: "Set credits aside for work whose cost is not known yet.",
    discussion: """
      Held credits count as gone. Capture what the work has cost, or release the hold, by the account and the request that \
      are printed; at its deadline a hold is released by itself, or captured if made so. Exit code 1 if denied.

        creditctl hold user_alice 120 --for 10m --request chat-7
        creditctl hold user_alice --feature chat --unit context=4808 --unit generated=2000 --for 90s
        creditctl capture user_alice chat-7 87.25
      """)

  @OptionGroup var options: StoreOptions
  @OptionGroup var request: RequestOption

  @Argument(help: "The account to set credits aside on.")
  var account: AccountArgument

  @Argument(help: "The most that the work will cost.")
  var amount: PositiveAmount?

  @Option(name: .long, help: "Hold the price of this feature's usage, in place of an amount.")
  var feature: String?

  @OptionGroup var usage: UsageOptions

  @Option(name: .customLong("for"), help: ArgumentHelp("How long, up to 366d. Default: 10m.", valueName: "duration"))
  var span: Duration?

  @Flag(name: .long, help: "Capture all of it at the deadline, instead of releasing it.")
  var captureAtDeadline = false

  func validate() throws {
    if let span, span <= .zero || span > .seconds(366 * 86_400) {
      throw ValidationError("--for must be above zero and at most 366d")
    }
    _ = try Asked(amount, feature, usage)
  }

  func run() async throws {
    let request = request.resolved
    let asked = try Asked(amount, feature, usage)
    let span = span ?? .seconds(600)
    let end: Hold.End = captureAtDeadline ? .capture : .release
    let (hold, left) = try await options.declining(account, request) { store in
      let hold =
        switch asked {
        case .amount(let amount):
          try await store.hold(amount, on: account.id, for: span, atDeadline: end, request: request.id)
        case .usage(let usage):
          try await store.hold(for: usage, on: account.id, lasting: span, atDeadline: end, request: request.id)
        }
      return (hold, try store.balance(of: account.id)?.available ?? .zero)
    }
    try options.print(
      [
        "outcome": "held", "account": .text(account.id), "request": .text(request.id), "amount": .text(hold.amount),
        "deadline": .text(hold.deadline), "at_deadline": .text(hold.end), "available": .text(left), "usage": asked.json,
      ],
      [
        "held \(hold.amount.grouped) credits\(asked.purpose) on \(account.name), which has \(left.grouped) available",
        "\(captureAtDeadline ? "captured" : "released") by itself at \(hold.deadline)",
        "request \(request.name)",
      ])
  }
}
