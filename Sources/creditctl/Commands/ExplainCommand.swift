import ArgumentParser
import Credits

struct ExplainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Show everything about one request: asked, answered, taken from which grants.",
    discussion: """
      Works while a service has the store open. Exit code 1 if the account has no such request, 3 if it may lie in a part \
      of the journal that has been trimmed.

        creditctl explain user_alice req-1
        creditctl explain user_alice uuid:0193585e-2f1c-7abc-8def-0123456789ab
      """)

  @OptionGroup var options: StoreOptions

  @Argument(help: "The account.")
  var account: AccountArgument

  @Argument(help: "The request.")
  var request: RequestArgument

  func run() async throws {
    let reader = try options.reader()
    guard let summary = try reader.account(account.id) else { throw AbsenceFailure.account(account.name) }
    guard let found = try reader.explain(request.id, of: account.id) else {
      throw AbsenceFailure.request(request.name, of: account.name)
    }
    try options.print(
      ["entry": EntryFormat.json(found.entry), "grants": .array(found.grants.map { EntryFormat.json($0) })],
      ExplainCommand.lines(found, summary.label ?? account.name, request.name))
  }

  /// The explanation as facts and, for a debit, a table of the grants it drew on.
  static func lines(_ explanation: Explanation, _ account: String, _ request: String) -> [String] {
    let entry = explanation.entry
    var facts: [(name: String, value: String)] = [
      ("account", account), ("request", request), ("entry", entry.sequence.description),
      ("time", entry.time.description), ("asked", asked(entry)), ("answer", answer(entry)),
      ("available", "\(entry.availableBefore.grouped) before, \(entry.available.grouped) after"),
    ]
    if let text = entry.text { facts.append((entry.kind == .opened ? "label" : "reason", text)) }
    let lines = Table.facts(facts, width: Terminal.outputWidth)
    guard entry.kind == .debited else { return lines }
    var table = Table([
      ("grant", .right), ("taken", .right), ("given", .right), ("entry", .right), ("priority", .right),
      ("expires", .left), ("source", .left),
    ])
    for part in entry.parts {
      let grant = explanation.grants.first { $0.parts.first?.grant == part.grant }
      table.add([
        "\(part.grant)", part.amount.grouped, grant?.amount.grouped ?? "-", grant?.sequence.description ?? "-",
        grant?.priority?.description ?? "-", grant.map { ($0.expires ?? .never).brief } ?? "-",
        grant?.source.map(EntryFormat.describe) ?? "outside retention",
      ])
    }
    return lines + [""] + table.lines(width: Terminal.outputWidth)
  }

  private static func asked(_ entry: JournalEntry) -> String {
    let verb =
      switch entry.declined ?? entry.kind {
      case .debited: "a debit"
      case .granted, .begun: "a grant"
      case .opened: "to open the account"
      case .frozen: "a freeze"
      case .unfrozen: "an end of the freeze"
      case .closed: "to close the account"
      case .held: "a hold"
      case .captured, .released: "the end of a hold"
      case .subscribed: "a plan"
      case .unsubscribed, .ended: "the end of a plan"
      case .alertsSet: "alerts"
      case .refillSet: "auto-refill"
      case .rearmed: "to resume auto-refill"
      case .methodSaved: "to save a payment method"
      case .methodRemoved: "to remove a payment method"
      case .ordered: "a purchase"
      case .disputed: "to note a dispute"
      default: "nothing"
      }
    let isAmount = [.debited, .granted, .held, .captured, .ordered].contains(entry.declined ?? entry.kind)
    guard isAmount else { return verb }
    let extent = entry.asked == nil ? "" : "up to "
    let source = entry.source.map { " from " + EntryFormat.describe($0) } ?? ""
    return "\(verb) of \(extent)\((entry.asked ?? entry.amount).grouped) credits\(source)"
  }

  private static func answer(_ entry: JournalEntry) -> String {
    if case .insufficient(let available, let needed) = entry.denial {
      return "denied, insufficient: \(available.grouped) available, \(needed.grouped) needed"
    }
    if let reason = entry.denial { return "denied, \(reason.code)" }
    switch entry.kind {
    case .debited, .granted: return "\(entry.kind.rawValue) \(entry.amount.grouped) credits"
    case .closed: return "closed, and \(entry.amount.grouped) credits went"
    default: return entry.kind.rawValue
    }
  }
}
