import ArgumentParser
import Credits

struct ExplainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Show everything about one request: asked, answered, its price, taken from which grants.",
    discussion: """
      Shows the arithmetic of a price, how a hold ended, and of a correction both sides. Works while a service has the store \
      open. Exit code 1 if the account has no such request, 3 if it may lie in a part of the journal that has been trimmed.

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
      [
        "entry": EntryFormat.json(found.entry), "grants": .array(found.grants.map { EntryFormat.json($0) }),
        "price": found.price.map { PriceFormat.json($0) } ?? .null,
        "followers": .array(found.followers.map { EntryFormat.json($0) }),
        "capture_price": found.capturePrice.map { PriceFormat.json($0) } ?? .null,
        "correction": found.correction.map { EntryFormat.json($0) } ?? .null,
        "corrected": found.corrected.map { EntryFormat.json($0) } ?? .null,
      ],
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
    if let text = entry.text { facts.append((title(ofText: entry), text)) }
    if let agent = entry.agent { facts.append(("agent", agent)) }
    if let usage = entry.usage { facts.append(("usage", usage.description)) }
    if let charge = entry.charge { facts.append(("charge", "\(charge)")) }
    if let money = entry.money { facts.append(("money", "\(money)")) }
    if let until = entry.until { facts.append(("until", until.description)) }
    if let debit = entry.corrects {
      let found = explanation.corrected.map { ", \($0.kind.rawValue) \($0.amount.grouped) at \($0.time)" }
      facts.append(("makes good", "entry \(debit)\(found ?? ", outside retention")"))
    }
    if let correction = explanation.correction {
      let reason = [correction.text, correction.agent.map { "by \($0)" }].compactMap { $0 }.joined(separator: ", ")
      facts.append(
        ("made good", "entry \(correction.sequence), \(correction.amount.grouped) at \(correction.time): \(reason)"))
    }
    let lines = Table.facts(facts, width: Terminal.outputWidth)
    return lines + price(explanation) + grants(explanation) + followers(explanation)
  }

  private static func title(ofText entry: JournalEntry) -> String {
    switch entry.kind {
    case .opened: "label"
    case .subscribed, .renewed: "plan"
    case .refillSet: "consent"
    default: "reason"
    }
  }

  private static func price(_ explanation: Explanation) -> [String] {
    explanation.price.map { [""] + PriceFormat.lines($0) } ?? []
  }

  private static func grants(_ explanation: Explanation) -> [String] {
    let entry = explanation.entry
    guard entry.kind == .debited || entry.kind == .held || entry.kind == .captured, !entry.parts.isEmpty else {
      return []
    }
    var table = Table([
      ("grant", .right), (entry.kind == .held ? "held" : "taken", .right), ("given", .right), ("entry", .right),
      ("priority", .right), ("expires", .left), ("source", .left),
    ])
    for part in entry.parts {
      let grant = explanation.grants.first { $0.parts.first?.grant == part.grant }
      table.add([
        "\(part.grant)", part.amount.grouped, grant?.amount.grouped ?? "-", grant?.sequence.description ?? "-",
        grant?.priority?.description ?? "-", grant.map { expiry($0).brief } ?? "-",
        grant.map(source) ?? "outside retention",
      ])
    }
    let price = explanation.capturePrice.map { [""] + PriceFormat.lines($0) } ?? []
    return [""] + table.lines(width: Terminal.outputWidth) + price
  }

  /// When granted credits expire: an allowance with its plan's period.
  private static func expiry(_ grant: JournalEntry) -> Timestamp {
    switch grant.kind {
    case .subscribed, .renewed: grant.until ?? .never
    default: grant.expires ?? .never
    }
  }

  /// Where granted credits came from, in a few words.
  private static func source(_ grant: JournalEntry) -> String {
    grant.source.map(EntryFormat.describe) ?? "plan \(grant.text ?? "")"
  }

  /// How a hold ended, and what was taken beyond it.
  private static func followers(_ explanation: Explanation) -> [String] {
    guard !explanation.followers.isEmpty else { return [] }
    var table = Table([
      ("then", .left), ("entry", .right), ("time", .left), ("amount", .right), ("available", .right), ("note", .left),
    ])
    for entry in explanation.followers {
      table.add([
        entry.kind.rawValue, entry.sequence.description, entry.time.brief, entry.amount.grouped,
        entry.available.grouped, EntryFormat.note(entry),
      ])
    }
    return [""] + table.lines(width: Terminal.outputWidth)
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
