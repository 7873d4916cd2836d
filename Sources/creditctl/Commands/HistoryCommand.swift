import ArgumentParser
import Credits

struct HistoryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "history",
    abstract: "Show the entries of an account, latest first.",
    discussion: """
      Works while a service has the store open. With --json: an entry a line.

        creditctl history user_alice --limit 20
        creditctl history user_alice --requests
      """)

  @OptionGroup var options: StoreOptions

  @Argument(help: "The account.")
  var account: AccountArgument

  @Option(name: .long, help: "The most entries to show.")
  var limit = 50

  @Flag(name: .long, help: "Show the request ids, in a form that explain takes.")
  var requests = false

  func validate() throws {
    guard (1...10_000_000).contains(limit) else {
      throw ValidationError("--limit is \(limit); it must be from 1 to 10,000,000")
    }
  }

  func run() async throws {
    let reader = try options.reader()
    let history = try reader.history(of: account.id, limit: limit)
    if history.entries.isEmpty, history.end == .complete { throw AbsenceFailure.account(account.name) }
    if options.json {
      for entry in history.entries { try Output.standard.line(EntryFormat.json(entry).text) }
      return try Output.standard.flush()
    }
    var table = Table([
      ("entry", .right), ("time", .left), ("kind", .left), ("amount", .right), ("available", .right), ("note", .left),
    ])
    for entry in history.entries {
      table.add([
        entry.sequence.description, entry.time.brief, entry.kind.rawValue,
        entry.amount == .zero ? "-" : entry.amount.grouped, entry.available.grouped, EntryFormat.note(entry),
      ])
    }
    var lines = table.lines(width: Terminal.outputWidth)
    try Output.standard.line(lines.removeFirst())
    for (line, entry) in zip(lines, history.entries) {
      try Output.standard.line(line)
      if requests, let request = entry.request { try Output.standard.line("       request uuid:\(request)") }
    }
    switch history.end {
    case .complete: break
    case .limit: try Output.standard.line("there are earlier entries; show more with --limit")
    case .outsideRetention: try Output.standard.line("earlier entries have been trimmed from the journal")
    }
    try Output.standard.flush()
  }
}
