import ArgumentParser
import Credits

struct BuyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "buy",
    abstract: "Try a purchase of credits with a scripted payment provider: no real card is charged.",
    discussion: """
      Notes the purchase, and drives it to its end as a service would, except that a scripted payment provider in this \
      process answers in place of a real one: what it buys is paid by nobody. Other charges that are open in the store are \
      left alone. Exit code 1 if the charge is declined.

      A purchase that stays open, as with --outcome unknown or need-action, goes on when the command is given again with the \
      same --request and another --outcome.

        creditctl buy user_alice --pack 500
        creditctl buy user_alice --money "35.00 USD" --outcome decline
        creditctl buy user_alice --credits 250 --outcome need-action --request order-18
        creditctl buy user_alice --credits 250 --outcome succeed --request order-18
      """)

  @OptionGroup var options: StoreOptions
  @OptionGroup var request: RequestOption

  @Argument(help: "The account that gets the credits.")
  var account: AccountArgument

  @OptionGroup var offer: OfferOptions

  @Option(name: .long, help: "The number of the payment method. Default: the latest that was saved.")
  var method: UInt32?

  @Option(name: .long, help: "What the scripted provider answers: succeed, decline, need-action or unknown.")
  var outcome: TrialOutcome = .succeed

  func run() async throws {
    let request = request.resolved
    let offer = try offer.offer()
    let (purchase, progress) = try await options.declining(account, request) { store in
      let number = try method ?? store.account(account.id)?.methods.last?.number ?? 0
      let purchase = try await store.purchase(
        offer, for: account.id, with: .numbered(number), request: request.id)
      let trial = Trial(store: store, account: account.id, number: purchase.number)
      return (purchase, try await trial.drive(to: outcome))
    }
    try ChargeFormat.printEnd(
      progress, account, options,
      extra: [("request", .text(request.id)), ("replay", .bool(purchase.receipt.isReplay))]
    ) { "supplied \($0); request \(request.name)" }
  }
}

struct PacksCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "packs",
    abstract: "Show and set what is for sale.",
    discussion: """
      Packs of credits with their prices, and custom amounts at a rate, exact to the cent.

        creditctl packs
        creditctl packs show --json > packs.json
        creditctl packs set packs.json
      """,
    subcommands: [PacksShowCommand.self, PacksSetCommand.self],
    defaultSubcommand: PacksShowCommand.self)
}

struct PacksShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show what is for sale.",
    discussion: """
      Works while a service has the store open. With --json: the catalogue, in a form that can be set again.

        creditctl packs show
      """)

  @OptionGroup var options: StoreOptions

  func run() async throws {
    let catalogue = try options.reader().catalogue()
    if options.json { try Output.standard.line(catalogue.json) } else { try options.print([:], lines(catalogue)) }
    try Output.standard.flush()
  }

  private func lines(_ catalogue: Catalogue) -> [String] {
    var table = Table([("pack", .right), ("price", .right)])
    for pack in catalogue.packs { table.add([pack.credits.grouped, pack.price.description]) }
    let lines = catalogue.packs.isEmpty ? ["no packs are sold"] : table.lines(width: Terminal.outputWidth)
    guard let custom = catalogue.custom else { return lines + ["custom amounts are not sold"] }
    return lines + ["custom amounts at \(custom.rate), from \(custom.least) to \(custom.most)"]
  }
}

struct PacksSetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set",
    abstract: "Replace what is for sale by a JSON file.",
    discussion: """
      What customers agreed to for auto-refill stays as it is. Exit code 2, with the place and the reason, if the file cannot \
      be used.

        creditctl packs set packs.json
      """)

  @OptionGroup var options: StoreOptions

  @Argument(help: "The JSON file; - for the standard input.")
  var file: String

  func run() async throws {
    let catalogue = try InputFile.catalogue(file)
    let isNew = try await options.changing { store in
      if store.catalogue == catalogue { return false }
      try await store.setCatalogue(catalogue)
      return true
    }
    try options.print(
      [
        "outcome": .string(isNew ? "set" : "unchanged"), "packs": .number(catalogue.packs.count),
        "custom": .bool(catalogue.custom != nil),
      ],
      [
        isNew
          ? "\(catalogue.packs.count == 1 ? "1 pack is" : "\(catalogue.packs.count) packs are") for sale now"
          : "the same was for sale already; nothing changed"
      ])
  }
}
