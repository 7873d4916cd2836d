public import ArgumentParser
public import Credits

struct GrantCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "grant",
    abstract: "Give credits to an account.",
    discussion: """
      Credits are used by priority, then soonest expiry, then age. A duration counts from now: where the command may be \
      repeated with the same request, write the time out, since another time is another request.

        creditctl grant user_alice 500 --reference order-17 --request order-17
        creditctl grant user_alice 20 --source promotion --expires 30d
      """)

  @OptionGroup var options: StoreOptions
  @OptionGroup var request: RequestOption

  @Argument(help: "The account to give credits to.")
  var account: AccountArgument

  @Argument(help: "The credits to give.")
  var amount: PositiveAmount

  @Option(name: .long, help: "Where they come from: allowance, purchase, refill, promotion or correction.")
  var source: Grant.Source.Kind = .purchase

  @Option(name: .long, help: "What the grant refers to, such as an order number.")
  var reference = ""

  @Option(name: .long, help: "The order of use, lower first. Default: that of the source.")
  var priority: UInt8?

  @Option(name: .long, help: "The time from which they can be used. Default: now.")
  var starts: Moment?

  @Option(name: .long, help: "The time from which they cannot be used any more. Default: never.")
  var expires: Moment?

  func run() async throws {
    let now = Timestamp.now
    let request = request.resolved
    try await options.change(
      "granted", account, request,
      sentence: { "granted \($0.amount.grouped) credits to \(account.name), which has \($0.balance.grouped) available" }
    ) { store in
      try await store.grant(
        amount.amount, to: account.id, source: Grant.Source(source, reference), priority: priority,
        starts: starts?.ahead(of: now), expires: expires?.ahead(of: now), request: request.id)
    }
  }
}

extension Grant.Source.Kind: ExpressibleByArgument {
  /// Parses the kind's name.
  public init?(argument: String) {
    guard let kind = Self.allCases.first(where: { $0.description == argument }) else { return nil }
    self = kind
  }

  /// The name that parses to the kind, for help texts.
  public var defaultValueDescription: String { description }
}
