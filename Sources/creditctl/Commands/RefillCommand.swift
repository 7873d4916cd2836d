import ArgumentParser
import Credits

struct RefillCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "refill",
    abstract: "Buy credits by itself when an account runs low: on, off, show, resume.",
    discussion: """
      Off by default. When less than the threshold is available, a refill comes due, and the RefillWorker of your service \
      charges the card; this program never charges one. 'refill charge' plays the payment provider, to try things out.

        creditctl refill on user_alice --below 100 --pack 500 --at-most "100.00 USD" --per month --consent "terms of 2026"
        creditctl refill show user_alice
        creditctl refill off user_alice
        creditctl refill resume user_alice
        creditctl refill resume --after-restore
      """,
    subcommands: [
      RefillOnCommand.self, RefillOffCommand.self, RefillShowCommand.self, RefillResumeCommand.self,
      RefillChargeCommand.self,
    ])
}

struct RefillOnCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "on",
    abstract: "Switch auto-refill on, with what the customer agreed to, or change it.",
    discussion: """
      As many packs are bought as it takes to reach the threshold, for at most so much money in a period. It comes due at \
      once if less than the threshold is available already.

        creditctl refill on user_alice --below 100 --pack 500 --at-most "100.00 USD" --per month --consent "terms of 2026"
      """)

  @OptionGroup var options: StoreOptions
  @OptionGroup var request: RequestOption

  @Argument(help: "The account.")
  var account: AccountArgument

  @Option(name: .long, help: ArgumentHelp("Buy when less than this is available.", valueName: "credits"))
  var below: PositiveAmount

  @OptionGroup var offer: OfferOptions

  @Option(name: .long, help: ArgumentHelp("The most money in a period, as '100.00 USD'.", valueName: "money"))
  var atMost: Money

  @Option(name: .long, help: "The period: day, week, month or year.")
  var per: Period = .month

  @Option(name: .long, help: "The number of the payment method. Default: the latest that was saved.")
  var method: UInt32?

  @Option(name: .long, help: "What the customer agreed to, in your words, for the record.")
  var consent = ""

  func run() async throws {
    let request = request.resolved
    let offer = try offer.offer()
    var refill: RefillSummary?
    try await options.change(
      "on", account, request,
      sentence: { _ in
        "auto-refill of \(account.name) is on\(refill.map { ": \(RefillFormat.terms($0)); \($0.state)" } ?? "")"
      }, extra: { _ in [("refill", refill.map { RefillFormat.json($0) } ?? .null)] }
    ) { store in
      let number = try method ?? store.account(account.id)?.methods.last?.number ?? 0
      let receipt = try await store.setAutoRefill(
        .on(
          below: below.amount, buy: offer, atMost: atMost, per: per, with: .numbered(number), consent: consent),
        for: account.id, request: request.id)
      refill = try store.account(account.id)?.refill
      return receipt
    }
  }
}

struct RefillOffCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "off",
    abstract: "Switch auto-refill off.",
    discussion: """
      A refill that was not sent to the payment provider is cancelled; one that was sent is completed and credited.

        creditctl refill off user_alice
      """)

  @OptionGroup var options: StoreOptions
  @OptionGroup var request: RequestOption

  @Argument(help: "The account.")
  var account: AccountArgument

  func run() async throws {
    let request = request.resolved
    var refill: RefillSummary?
    try await options.change(
      "off", account, request,
      sentence: { _ in
        let open = refill.map { $0.state == .off ? "" : "; what was sent is completed: \($0.state)" } ?? ""
        return "auto-refill of \(account.name) is off\(open)"
      }, extra: { _ in [("refill", refill.map { RefillFormat.json($0) } ?? .null)] }
    ) { store in
      let receipt = try await store.setAutoRefill(.off, for: account.id, request: request.id)
      refill = try store.account(account.id)?.refill
      return receipt
    }
  }
}

struct RefillShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show how auto-refill stands: its state, terms, money and charges.",
    discussion: """
      Works while a service has the store open.

        creditctl refill show user_alice
      """)

  @OptionGroup var options: StoreOptions

  @Argument(help: "The account.")
  var account: AccountArgument

  func run() async throws {
    let reader = try options.reader()
    guard let summary = try reader.account(account.id) else { throw AbsenceFailure.account(account.name) }
    let isPaused = try reader.chargesArePaused()
    var facts = [("account", summary.label ?? account.name), ("available", summary.balance.available.grouped)]
    facts += RefillFormat.facts(summary)
    if isPaused {
      facts.append(("paused", "the store is a restored copy; see 'creditctl refill resume --after-restore'"))
    }
    try options.print(
      [
        "account": .text(account.id), "available": .text(summary.balance.available),
        "refill": RefillFormat.json(summary.refill), "paused": .bool(isPaused),
        "charges": .array(summary.charges.map { ChargeFormat.json($0) }),
      ],
      Table.facts(facts.map { (name: $0.0, value: $0.1) }, width: Terminal.outputWidth)
        + ChargeFormat.lines(summary.charges))
  }
}

struct RefillResumeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume",
    abstract: "Let an account's auto-refill go on, or the charges of a restored store.",
    discussion: """
      Two different things:

      With an ACCOUNT: its auto-refill goes on that is suspended or cools down after declines.

      With --after-restore, and no account: cards may be charged again in a store that is a copy, such as a restored backup. \
      A copy does not know what the original has charged since: make sure that the original is gone, or a card could be \
      charged by both.

        creditctl refill resume user_alice --reason "new card by phone"
        creditctl refill resume --after-restore
      """)

  @OptionGroup var options: StoreOptions
  @OptionGroup var request: RequestOption

  @Argument(help: "The account whose auto-refill is to go on.")
  var account: AccountArgument?

  @Flag(name: .long, help: "Let cards be charged again in the whole store, which is a restored copy.")
  var afterRestore = false

  @Option(name: .long, help: "Why, for the record of the account.")
  var reason = ""

  func validate() throws {
    guard (account != nil) != afterRestore else {
      throw ValidationError(
        "name the account whose auto-refill is to go on, or give --after-restore for a whole store that is a copy")
    }
    if afterRestore, request.request != nil || !reason.isEmpty {
      throw ValidationError("--request and --reason are for an account; leave them out with --after-restore")
    }
  }

  func run() async throws {
    guard let account else { return try await resumeStore() }
    let request = request.resolved
    var refill: RefillSummary?
    try await options.change(
      "resumed", account, request,
      sentence: { _ in "auto-refill of \(account.name) goes on\(refill.map { ": \($0.state)" } ?? "")" },
      extra: { _ in [("refill", refill.map { RefillFormat.json($0) } ?? .null)] }
    ) { store in
      let receipt = try await store.resumeAutoRefill(for: account.id, reason: reason, request: request.id)
      refill = try store.account(account.id)?.refill
      return receipt
    }
  }

  private func resumeStore() async throws {
    let wasPaused = try await options.changing { store in
      let wasPaused = store.chargesArePaused
      if wasPaused { try await store.resumeCharges() }
      return wasPaused
    }
    try options.print(
      ["outcome": .string(wasPaused ? "resumed" : "unchanged"), "store": .string(try options.path())],
      [
        wasPaused
          ? "cards may be charged again in this store" : "charges were not paused in this store; nothing changed"
      ])
  }
}

struct RefillChargeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "charge",
    abstract: "Play the payment provider for an account's open refill: no real card is charged.",
    discussion: """
      To try things out: the refill that is due, or open, gets the outcome that you choose, from a scripted payment provider \
      in this process. With success the account gets the credits as if its card had been charged. Exit code 1 if declined.

        creditctl refill charge user_alice
        creditctl refill charge user_alice --outcome decline
      """)

  @OptionGroup var options: StoreOptions

  @Argument(help: "The account.")
  var account: AccountArgument

  @Option(name: .long, help: "What the scripted provider answers: succeed, decline, need-action or unknown.")
  var outcome: TrialOutcome = .succeed

  func run() async throws {
    let progress = try await options.changing { store in
      guard let summary = try store.account(account.id) else { throw AbsenceFailure.account(account.name) }
      guard let charge = summary.charges.first(where: { $0.kind == .refill }) else {
        throw UsageFailure(
          code: "no-charge",
          sentence: "account \(account.name) has no open refill: auto-refill is \(summary.refill.state)")
      }
      return try await Trial(store: store, account: account.id, number: charge.number).drive(to: outcome)
    }
    try ChargeFormat.printEnd(progress, account, options, extra: []) { "refilled \($0)" }
  }
}

/// The forms in which auto-refill is printed.
enum RefillFormat {
  /// Auto-refill as an object.
  static func json(_ refill: RefillSummary) -> JSON {
    let terms: JSON =
      refill.terms.map { terms in
        [
          "below": .text(terms.threshold), "credits": .text(terms.pack.credits), "price": .text(terms.pack.price),
          "at_most": .text(terms.cap), "per": .text(terms.period), "method": .number(terms.method),
          "consent": .string(terms.consent),
        ]
      } ?? .null
    return [
      "state": .string(code(refill.state)), "until": .text(until(refill.state)), "reason": .text(reason(refill.state)),
      "declines": .number(refill.declines), "charged": .text(refill.charged), "terms": terms,
    ]
  }

  /// The stable name of a state.
  static func code(_ state: RefillSummary.State) -> String {
    switch state {
    case .off: "off"
    case .armed: "armed"
    case .due: "due"
    case .charging: "charging"
    case .needsAction: "needs-action"
    case .coolingDown: "cooling-down"
    case .capped: "capped"
    case .suspended: "suspended"
    }
  }

  private static func until(_ state: RefillSummary.State) -> Timestamp? {
    switch state {
    case .coolingDown(let until), .capped(let until): until
    default: nil
    }
  }

  private static func reason(_ state: RefillSummary.State) -> RefillState.Suspension? {
    if case .suspended(let reason) = state { reason } else { nil }
  }

  /// What the customer agreed to, in a few words.
  static func terms(_ refill: RefillSummary) -> String {
    guard let terms = refill.terms else { return "no terms" }
    return "below \(terms.threshold.grouped) it buys \(terms.pack), at most \(terms.cap) a \(terms.period), "
      + "with method \(terms.method)"
  }

  /// Auto-refill as facts.
  static func facts(_ account: AccountSummary) -> [(String, String)] {
    let refill = account.refill
    var facts = [("refill", refill.state.description)]
    guard let terms = refill.terms else { return facts }
    facts.append(("terms", RefillFormat.terms(refill)))
    facts.append(
      ("charged", "\(refill.charged ?? Money(0, terms.cap.currency)) of \(terms.cap) in this \(terms.period)"))
    if refill.declines > 0 { facts.append(("declines", refill.declines.grouped)) }
    if !terms.consent.isEmpty { facts.append(("consent", terms.consent)) }
    return facts
  }
}
