import ArgumentParser
import Credits

struct PlanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Give accounts an allowance each period.",
    discussion: """
      At each end of a period what is left of the allowance expires, or rolls over up to a limit, and a new one comes; \
      credits that were bought stay.

        creditctl plan subscribe user_alice pro --allowance 1000 --per month
        creditctl plan show user_alice
        creditctl plan cancel user_alice
      """,
    subcommands: [PlanSubscribeCommand.self, PlanCancelCommand.self, PlanShowCommand.self])
}

struct PlanSubscribeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "subscribe",
    abstract: "Begin a plan, or change the one that an account has.",
    discussion: """
      Periods are counted from the anchor: months from January 31 end on February 28, March 31, and so on. A change that \
      keeps period and anchor takes effect at once; any other at the end of the present period.

        creditctl plan subscribe user_alice pro --allowance 1000 --per month
        creditctl plan subscribe user_bob basic --allowance 20 --per day --anchor 2026-11-01T06:00:00Z --rollover 40
      """)

  @OptionGroup var options: StoreOptions
  @OptionGroup var request: RequestOption

  @Argument(help: "The account.")
  var account: AccountArgument

  @Argument(help: "The plan's name.")
  var name: String

  @Option(name: .long, help: "The credits of one period.")
  var allowance: PositiveAmount

  @Option(name: .long, help: "The period: day, week, month or year.")
  var per: Period

  @Option(name: .long, help: "The time from which periods are counted. Default: now, or that of the present plan.")
  var anchor: Moment?

  @Option(name: .long, help: "The most credits that go over into the next period.")
  var rollover: Amount = 0

  @Option(name: .long, help: "The order of use of the allowance, lower first.")
  var priority: UInt8 = Grant.Source.Kind.allowance.priority

  func validate() throws {
    guard (1...Name.maximumText).contains(name.utf8.count) else {
      throw ValidationError("the plan's name has from 1 to \(Name.maximumText) bytes")
    }
    if rollover < .zero { throw ValidationError("--rollover is \(rollover); it must not be negative") }
  }

  func run() async throws {
    let request = request.resolved
    let plan = Plan(name, allowance: allowance.amount, per: per, rollover: rollover, priority: priority)
    var subscription: Subscription?
    try await options.change(
      "subscribed", account, request,
      sentence: { receipt in
        let got = receipt.amount > .zero ? "\(receipt.amount.grouped) credits" : "no credits now"
        return "\(account.name) got \(got)\(subscription.map { "; plan: \(PlanFormat.sentence($0))" } ?? "")"
      }, extra: { _ in [("plan", subscription.map { PlanFormat.json($0) } ?? .null)] }
    ) { store in
      let receipt = try await store.subscribe(
        account.id, to: plan, anchor: anchor?.ahead(of: .now), request: request.id)
      subscription = try store.account(account.id)?.plan
      return receipt
    }
  }
}

struct PlanCancelCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cancel",
    abstract: "End a plan with its period, or at once.",
    discussion: """
      At once, what is left of the allowance expires. Credits that were bought stay.

        creditctl plan cancel user_alice
        creditctl plan cancel user_alice --at-once
      """)

  @OptionGroup var options: StoreOptions
  @OptionGroup var request: RequestOption

  @Argument(help: "The account.")
  var account: AccountArgument

  @Flag(name: .long, help: "End it now instead of with its period.")
  var atOnce = false

  func run() async throws {
    let request = request.resolved
    var subscription: Subscription?
    try await options.change(
      "cancelled", account, request,
      sentence: {
        let end = subscription.map { "ends on \($0.next)" } ?? "has ended"
        return "the plan of \(account.name) \(end); \($0.balance.grouped) credits are available"
      }, extra: { _ in [("ends", .text(subscription?.next))] }
    ) { store in
      let receipt = try await store.unsubscribe(account.id, atOnce: atOnce, request: request.id)
      subscription = try store.account(account.id)?.plan
      return receipt
    }
  }
}

struct PlanShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show the plan of an account.",
    discussion: """
      Works while a service has the store open. Exit code 1 if there is no plan.

        creditctl plan show user_alice
      """)

  @OptionGroup var options: StoreOptions

  @Argument(help: "The account.")
  var account: AccountArgument

  func run() async throws {
    guard let summary = try options.reader().account(account.id) else { throw AbsenceFailure.account(account.name) }
    guard let plan = summary.plan else {
      throw StoreError.denied(Denial(reason: .noPlan, sequence: nil, time: .now, isReplay: false))
    }
    try options.print(
      ["account": .text(account.id), "plan": PlanFormat.json(plan)],
      Table.facts(
        [
          ("account", summary.label ?? account.name), ("plan", plan.plan.name),
          ("allowance", "\(plan.plan.allowance.grouped) credits a \(plan.plan.period)"),
          ("rollover", plan.plan.rollover == .zero ? "none" : "up to \(plan.plan.rollover.grouped)"),
          ("anchor", plan.anchor.description), ("next", PlanFormat.next(plan)),
        ], width: Terminal.outputWidth))
  }
}

/// The forms in which a plan is printed.
enum PlanFormat {
  /// A plan as an object.
  static func json(_ subscription: Subscription) -> JSON {
    func json(_ plan: Plan) -> [(key: String, value: JSON)] {
      [
        ("name", .string(plan.name)), ("allowance", .text(plan.allowance)), ("per", .text(plan.period)),
        ("rollover", .text(plan.rollover)), ("priority", .number(plan.priority)),
      ]
    }
    let change: JSON =
      subscription.change.map { .object(json($0.plan) + [("anchor", .text($0.anchor))]) } ?? .null
    return .object(
      json(subscription.plan) + [
        ("anchor", .text(subscription.anchor)), ("next", .text(subscription.next)),
        ("ends", .bool(subscription.ends)), ("change", change),
      ])
  }

  /// A plan in a line.
  static func sentence(_ subscription: Subscription) -> String {
    let plan = subscription.plan
    let rollover = plan.rollover == .zero ? "" : ", rolling over up to \(plan.rollover.grouped)"
    return
      "\(plan.name.escapedForTerminal), \(plan.allowance.grouped) a \(plan.period)\(rollover); \(next(subscription))"
  }

  /// What happens at the end of the present period.
  static func next(_ subscription: Subscription) -> String {
    if subscription.ends { return "ends \(subscription.next.brief)" }
    guard let change = subscription.change else { return "renews \(subscription.next.brief)" }
    return "\(change.plan.name.escapedForTerminal), \(change.plan.allowance.grouped) a \(change.plan.period), "
      + "from \(subscription.next.brief)"
  }
}
