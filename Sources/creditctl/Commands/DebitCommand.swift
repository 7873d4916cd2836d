import ArgumentParser
import Credits

struct DebitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "debit",
    abstract: "Take credits from an account: all of the amount or nothing.",
    discussion: """
      A denial is recorded and stays the answer to its request; try again with a new request. Exit code 1 if denied.

        creditctl debit user_alice 3.5 --request req-1
        creditctl debit user_alice 100 --up-to
      """)

  @OptionGroup var options: StoreOptions
  @OptionGroup var request: RequestOption

  @Argument(help: "The account to take credits from.")
  var account: AccountArgument

  @Argument(help: "The credits to take.")
  var amount: PositiveAmount

  @Flag(name: .long, help: "Take as much of the amount as there is, but more than nothing.")
  var upTo = false

  func run() async throws {
    let request = request.resolved
    try await options.change(
      "debited", account, request,
      sentence: { "debited \($0.amount.grouped) credits from \(account.name), which has \($0.balance.grouped) left" }
    ) { store in
      switch try await store.debit(
        amount.amount, from: account.id, request: request.id, extent: upTo ? .upTo : .whole)
      {
      case .debited(let receipt): return receipt
      case .denied(let denial): throw StoreError.denied(denial)
      }
    }
  }
}
