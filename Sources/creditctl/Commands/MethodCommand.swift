import ArgumentParser
import Credits

struct MethodCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "method",
    abstract: "Save, list and remove payment methods: tokens, never card numbers.",
    discussion: """
      Only the token of your payment provider is kept, with what helps the customer recognise the card. Anything that looks \
      like the number of a card is refused.

        creditctl method add user_alice tok_9sYkQ2 --brand visa --last-four 4242 --expires 2028-11
        creditctl method list user_alice
        creditctl method remove user_alice 1
      """,
    subcommands: [MethodAddCommand.self, MethodListCommand.self, MethodRemoveCommand.self])
}

/// The month in which a card expires, as `2028-11`.
struct CardMonth: ExpressibleByArgument {
  let year: Int
  let month: Int

  init?(argument: String) {
    let parts = argument.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0].utf8.count == 4, parts[1].utf8.count == 2,
      parts.joined().utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let year = Int(parts[0]), let month = Int(parts[1]),
      (2000...9999).contains(year), (1...12).contains(month)
    else { return nil }
    self.year = year
    self.month = month
  }
}

struct MethodAddCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add",
    abstract: "Save a payment method.",
    discussion: """
      The token is the one that your payment provider gave you for the card. Auto-refill, if it is on, uses the new method \
      from now on, and goes on if it waited for one. Never give a card number: it is refused, and shells remember what is \
      typed.

        creditctl method add user_alice tok_9sYkQ2 --brand visa --last-four 4242 --expires 2028-11
      """)

  @OptionGroup var options: StoreOptions
  @OptionGroup var request: RequestOption

  @Argument(help: "The account.")
  var account: AccountArgument

  @Argument(help: "The payment provider's token for the card.")
  var token: String

  @Option(name: .long, help: "The card's brand.")
  var brand: String

  @Option(name: .long, help: ArgumentHelp("The last four digits of the card's number.", valueName: "digits"))
  var lastFour: String

  @Option(name: .long, help: ArgumentHelp("The month to whose end the card is good.", valueName: "year-month"))
  var expires: CardMonth

  @Flag(name: .long, help: "Leave auto-refill with the method that it has.")
  var notForRefill = false

  func run() async throws {
    // Never printed: what looks like a card number must not get into logs either.
    for (what, text) in [("token", token), ("brand", brand), ("last four digits", lastFour)]
    where looksLikeCardNumber(text) {
      throw UsageFailure(
        code: "card-number",
        sentence: "the \(what) contain\(what == "last four digits" ? "" : "s") what looks like the number of a card; "
          + "card numbers are never accepted: give the token that your payment provider made for the card")
    }
    guard (1...Name.maximumText).contains(token.utf8.count), brand.utf8.count <= Name.maximumText else {
      throw UsageFailure(sentence: "the token has from 1 to \(Name.maximumText) bytes, the brand at most as many")
    }
    guard lastFour.utf8.count == 4, lastFour.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) else {
      throw UsageFailure(sentence: "--last-four takes exactly four digits")
    }
    let method = PaymentMethod(
      token: token, brand: brand, lastFour: lastFour, expiryYear: expires.year, expiryMonth: expires.month)
    let request = request.resolved
    let saved = try await options.declining(account, request) { store in
      try await store.savePaymentMethod(method, for: account.id, forRefill: !notForRefill, request: request.id)
    }
    try options.print(
      [
        "outcome": "saved", "account": .text(account.id), "request": .text(request.id),
        "method": MethodFormat.json(saved),
      ],
      [
        "saved method \(saved.number) of \(account.name): \(MethodFormat.sentence(saved))", "request \(request.name)",
      ])
  }
}

struct MethodListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the payment methods of an account, tokens masked.",
    discussion: """
      Works while a service has the store open.

        creditctl method list user_alice
      """)

  @OptionGroup var options: StoreOptions

  @Argument(help: "The account.")
  var account: AccountArgument

  func run() async throws {
    guard let summary = try options.reader().account(account.id) else { throw AbsenceFailure.account(account.name) }
    try options.print(
      ["account": .text(account.id), "methods": .array(summary.methods.map { MethodFormat.json($0) })],
      summary.methods.isEmpty
        ? ["\(account.name) has no payment method"]
        : MethodFormat.table(summary).lines(width: Terminal.outputWidth))
  }
}

struct MethodRemoveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove",
    abstract: "Remove a payment method.",
    discussion: """
      Charges that were sent go on; others with the method are cancelled, and auto-refill that uses it waits for a new one.

        creditctl method remove user_alice 1
      """)

  @OptionGroup var options: StoreOptions
  @OptionGroup var request: RequestOption

  @Argument(help: "The account.")
  var account: AccountArgument

  @Argument(help: "The method's number, as list shows it.")
  var number: UInt32

  func run() async throws {
    let request = request.resolved
    try await options.change(
      "removed", account, request, sentence: { _ in "removed method \(number) of \(account.name)" },
      extra: { _ in [("method", .number(number))] }
    ) { store in
      try await store.removePaymentMethod(.numbered(number), of: account.id, request: request.id)
    }
  }
}

extension PaymentMethod {
  /// A method of which only the number is known, to name it to the store.
  static func numbered(_ number: UInt32) -> PaymentMethod {
    var method = PaymentMethod(token: "", brand: "", lastFour: "", expiryYear: 0, expiryMonth: 0)
    method.number = number
    return method
  }
}

/// The forms in which payment methods are printed.
enum MethodFormat {
  /// A method as an object.
  static func json(_ method: PaymentMethod) -> JSON {
    [
      "method": .number(method.number), "brand": .string(method.brand), "last_four": .string(method.lastFour),
      "expires": .string(month(method)), "token": .string(masked(method.token)),
    ]
  }

  /// A method in a few words.
  static func sentence(_ method: PaymentMethod) -> String {
    "\(method.brand.escapedForTerminal) ending in \(method.lastFour.escapedForTerminal), good to the end of "
      + month(method)
  }

  /// A table of an account's methods.
  static func table(_ account: AccountSummary) -> Table {
    var table = Table([
      ("method", .right), ("brand", .left), ("last four", .left), ("expires", .left), ("token", .left), ("", .left),
    ])
    for method in account.methods {
      table.add([
        "\(method.number)", method.brand, "···· \(method.lastFour)", month(method), masked(method.token),
        method.number == account.refill.terms?.method ? "for auto-refill" : "",
      ])
    }
    return table
  }

  private static func month(_ method: PaymentMethod) -> String {
    "\(method.expiryYear)-\(method.expiryMonth < 10 ? "0" : "")\(method.expiryMonth)"
  }

  /// A token with all but its ends hidden.
  static func masked(_ token: String) -> String {
    token.count < 12 ? "…" + token.suffix(2) : token.prefix(4) + "…" + token.suffix(4)
  }
}
