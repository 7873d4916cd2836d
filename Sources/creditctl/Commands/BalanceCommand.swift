import ArgumentParser
import Credits

struct BalanceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "balance",
    abstract: "Show what accounts have: balance, totals, grants, holds, plan, refill, payment methods.",
    discussion: """
      Works while a service has the store open.

        creditctl balance user_alice
        creditctl balance user_alice user_bob --json
      """)

  @OptionGroup var options: StoreOptions

  @Argument(help: "The accounts to show.")
  var accounts: [AccountArgument]

  func run() async throws {
    let reader = try options.reader()
    var isFirst = true
    for account in accounts {
      guard let summary = try reader.account(account.id) else { throw AbsenceFailure.account(account.name) }
      if !isFirst, !options.json { try Output.standard.line("") }
      isFirst = false
      try options.print(SummaryFormat.json(summary), SummaryFormat.lines(summary, account.name))
    }
  }
}

/// The forms in which an account as a whole is printed.
enum SummaryFormat {
  /// An account as an object.
  static func json(_ account: AccountSummary) -> JSON {
    [
      "account": .text(account.id), "label": .text(account.label), "status": .text(account.status),
      "available": .text(account.balance.available), "held": .text(account.balance.held),
      "version": .number(account.balance.version.value), "granted": .text(account.granted),
      "spent": .text(account.spent), "expired": .text(account.expired),
      "grants": .array(
        account.grants.map { grant in
          [
            "grant": .number(grant.number), "source": .text(grant.kind), "priority": .number(grant.priority),
            "amount": .text(grant.amount), "remaining": .text(grant.remaining),
            "starts": grant.starts == .zero ? .null : .text(grant.starts),
            "expires": grant.expires == .never ? .null : .text(grant.expires),
          ]
        }),
      "holds": .array(
        account.holds.map { hold in
          [
            "request": .text(hold.request), "amount": .text(hold.amount), "deadline": .text(hold.deadline),
            "at_deadline": .text(hold.end),
          ]
        }),
      "plan": account.plan.map { PlanFormat.json($0) } ?? .null, "alerts": .array(account.alerts.map { .text($0) }),
      "refill": RefillFormat.json(account.refill), "methods": .array(account.methods.map { MethodFormat.json($0) }),
      "charges": .array(account.charges.map { ChargeFormat.json($0) }),
    ]
  }

  /// An account as a list of facts and a table of its grants.
  static func lines(_ account: AccountSummary, _ name: String) -> [String] {
    var facts = [
      ("account", account.label ?? name), ("id", account.id.description), ("status", account.status.description),
      ("available", account.balance.available.grouped),
    ]
    if account.balance.held > .zero { facts.append(("held", account.balance.held.grouped)) }
    facts += [
      ("granted", account.granted.grouped), ("spent", account.spent.grouped), ("expired", account.expired.grouped),
      ("version", account.balance.version.description),
    ]
    if let plan = account.plan { facts.append(("plan", PlanFormat.sentence(plan))) }
    if !account.alerts.isEmpty { facts.append(("alerts", account.alerts.map(\.grouped).joined(separator: ", "))) }
    if account.refill.state != .off || account.refill.terms != nil {
      facts.append(("refill", account.refill.state.description))
    }
    let lines = Table.facts(facts.map { (name: $0.0, value: $0.1) }, width: Terminal.outputWidth)
    return lines + grants(account) + holds(account) + methods(account) + ChargeFormat.lines(account.charges)
  }

  private static func methods(_ account: AccountSummary) -> [String] {
    account.methods.isEmpty ? [] : [""] + MethodFormat.table(account).lines(width: Terminal.outputWidth)
  }

  private static func holds(_ account: AccountSummary) -> [String] {
    guard !account.holds.isEmpty else { return [] }
    var table = Table([("held", .right), ("deadline", .left), ("then", .left), ("hold", .left)])
    for hold in account.holds {
      table.add([
        hold.amount.grouped, hold.deadline.brief, hold.end == .release ? "released" : "captured",
        "uuid:\(hold.request)",
      ])
    }
    return [""] + table.lines(width: Terminal.outputWidth)
  }

  private static func grants(_ account: AccountSummary) -> [String] {
    guard !account.grants.isEmpty else { return [] }
    var table = Table([
      ("grant", .right), ("source", .left), ("priority", .right), ("amount", .right), ("remaining", .right),
      ("starts", .left), ("expires", .left),
    ])
    for grant in account.grants {
      table.add([
        "\(grant.number)", "\(grant.kind)", "\(grant.priority)", grant.amount.grouped, grant.remaining.grouped,
        grant.starts <= .now ? "-" : grant.starts.brief, grant.expires.brief,
      ])
    }
    return [""] + table.lines(width: Terminal.outputWidth)
  }
}
