import ArgumentParser
import Credits

struct FreezeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "freeze",
    abstract: "Deny all spending of an account until it is unfrozen.",
    discussion: """
      Credits still arrive and expire.

        creditctl freeze user_alice --reason "chargeback"
      """)

  @OptionGroup var options: StoreOptions
  @OptionGroup var request: RequestOption

  @Argument(help: "The account to freeze.")
  var account: AccountArgument

  @Option(name: .long, help: "Why, for the record.")
  var reason = ""

  func run() async throws {
    let request = request.resolved
    try await options.change(
      "frozen", account, request,
      sentence: { "account \(account.name) is frozen with \($0.balance.grouped) credits available" }
    ) { store in
      try await store.freeze(account.id, reason: reason, request: request.id)
    }
  }
}
