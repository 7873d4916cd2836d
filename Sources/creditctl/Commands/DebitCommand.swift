import ArgumentParser
import Credits

struct DebitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "debit",
    abstract: "Take credits from an account, an amount or the price of usage: all of it or nothing.",
    discussion: """
      A denial is recorded and stays the answer to its request; try again with a new request. Exit code 1 if denied. With \
      --feature in place of an amount, the price book says what the usage costs; 'price quote' shows it beforehand.

        creditctl debit user_alice 3.5 --request req-1
        creditctl debit user_alice 100 --up-to
        creditctl debit user_alice --feature chat --model large --unit context=4808 --unit generated=120
      """)

  @OptionGroup var options: StoreOptions
  @OptionGroup var request: RequestOption

  @Argument(help: "The account to take credits from.")
  var account: AccountArgument

  @Argument(help: "The credits to take.")
  var amount: PositiveAmount?

  @Option(name: .long, help: "Take the price of this feature's usage, in place of an amount.")
  var feature: String?

  @OptionGroup var usage: UsageOptions

  @Flag(name: .long, help: "Take as much of the amount as there is, but more than nothing.")
  var upTo = false

  func validate() throws {
    if upTo, feature != nil { throw ValidationError("--up-to goes with an amount; usage is paid whole or not at all") }
    _ = try Asked(amount, feature, usage)
  }

  func run() async throws {
    let request = request.resolved
    let asked = try Asked(amount, feature, usage)
    try await options.change(
      "debited", account, request,
      sentence: {
        "debited \($0.amount.grouped) credits\(asked.purpose) from \(account.name), "
          + "which has \($0.balance.grouped) left"
      }, extra: { _ in [("usage", asked.json)] }
    ) { store in
      let outcome =
        switch asked {
        case .amount(let amount):
          try await store.debit(amount, from: account.id, request: request.id, extent: upTo ? .upTo : .whole)
        case .usage(let usage): try await store.debit(for: usage, from: account.id, request: request.id)
        }
      switch outcome {
      case .debited(let receipt): return receipt
      case .denied(let denial): throw StoreError.denied(denial)
      }
    }
  }
}
