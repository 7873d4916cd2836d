import ArgumentParser
import Credits

struct BalanceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "balance",
    abstract: "Show what accounts have: balance, totals and grants.",
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
    let lines = Table.facts(facts.map { (name: $0.0, value: $0.1) }, width: Terminal.outputWidth)
    guard !account.grants.isEmpty else { return lines }
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
    return lines + [""] + table.lines(width: Terminal.outputWidth)
  }
}
