import ArgumentParser
import Credits

struct CloseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "close",
    abstract: "Close an account for good.",
    discussion: """
      Credits that it still has are booked as expired. There is no way back.

        creditctl close user_alice --reason "left us"
      """)

  @OptionGroup var options: StoreOptions
  @OptionGroup var request: RequestOption

  @Argument(help: "The account to close.")
  var account: AccountArgument

  @Option(name: .long, help: "Why, for the record.")
  var reason = ""

  func run() async throws {
    let request = request.resolved
    try await options.change(
      "closed", account, request,
      sentence: { "account \(account.name) is closed; \($0.amount.grouped) credits went with it" }
    ) { store in
      try await store.close(account.id, reason: reason, request: request.id)
    }
  }
}
