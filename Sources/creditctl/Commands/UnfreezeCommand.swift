import ArgumentParser
import Credits

struct UnfreezeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unfreeze",
    abstract: "Allow the spending of an account again.",
    discussion: """
      Requests that were denied meanwhile stay denied.

        creditctl unfreeze user_alice --reason "resolved"
      """)

  @OptionGroup var options: StoreOptions
  @OptionGroup var request: RequestOption

  @Argument(help: "The account to unfreeze.")
  var account: AccountArgument

  @Option(name: .long, help: "Why, for the record.")
  var reason = ""

  func run() async throws {
    let request = request.resolved
    try await options.change(
      "unfrozen", account, request,
      sentence: { "account \(account.name) may spend its \($0.balance.grouped) credits again" }
    ) { store in
      try await store.unfreeze(account.id, reason: reason, request: request.id)
    }
  }
}
