import ArgumentParser
import Credits

struct AlertCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "alert",
    abstract: "Tell when an account falls below levels of available credits.",
    discussion: """
      A level is told once, by the event 'alerted', and again only after the balance has risen to it. That nothing is left \
      is told always, by the event 'exhausted'. 'creditctl events' reads what was told.

        creditctl alert set user_alice 100 20
        creditctl alert show user_alice
        creditctl alert off user_alice
      """,
    subcommands: [AlertSetCommand.self, AlertOffCommand.self, AlertShowCommand.self])
}

struct AlertSetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set",
    abstract: "Set the levels of an account, in place of those it has.",
    discussion: """
      At most 16. A new level above the present balance is told at once.

        creditctl alert set user_alice 100 20
      """)

  @OptionGroup var options: StoreOptions
  @OptionGroup var request: RequestOption

  @Argument(help: "The account.")
  var account: AccountArgument

  @Argument(help: "The levels.")
  var levels: [PositiveAmount]

  func validate() throws {
    if levels.count > 16 { throw ValidationError("there are \(levels.count) levels; an account has at most 16") }
  }

  func run() async throws {
    let request = request.resolved
    let levels = Set(levels.map(\.amount)).sorted(by: >)
    try await options.change(
      "set", account, request,
      sentence: {
        "\(account.name) has alerts below \(levels.map(\.grouped).joined(separator: " and ")); "
          + "\($0.balance.grouped) credits are available"
      }, extra: { _ in [("alerts", .array(levels.map { .text($0) }))] }
    ) { store in
      try await store.setAlerts(levels, for: account.id, request: request.id)
    }
  }
}

struct AlertOffCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "off",
    abstract: "Remove all levels of an account.",
    discussion: """
      That nothing is left is still told.

        creditctl alert off user_alice
      """)

  @OptionGroup var options: StoreOptions
  @OptionGroup var request: RequestOption

  @Argument(help: "The account.")
  var account: AccountArgument

  func run() async throws {
    let request = request.resolved
    try await options.change(
      "off", account, request, sentence: { _ in "\(account.name) has no alerts, but for when nothing is left" },
      extra: { _ in [("alerts", [])] }
    ) { store in
      try await store.setAlerts([], for: account.id, request: request.id)
    }
  }
}

struct AlertShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show the levels of an account.",
    discussion: """
      Works while a service has the store open.

        creditctl alert show user_alice
      """)

  @OptionGroup var options: StoreOptions

  @Argument(help: "The account.")
  var account: AccountArgument

  func run() async throws {
    guard let summary = try options.reader().account(account.id) else { throw AbsenceFailure.account(account.name) }
    let available = summary.balance.available
    var table = Table([("level", .right), ("state", .left)])
    for level in summary.alerts { table.add([level.grouped, available < level ? "told" : "armed"]) }
    table.add(["exhausted", available == .zero ? "told" : "armed"])
    try options.print(
      [
        "account": .text(account.id), "available": .text(available),
        "alerts": .array(summary.alerts.map { .text($0) }),
      ],
      ["\(available.grouped) credits are available"] + table.lines(width: Terminal.outputWidth))
  }
}
