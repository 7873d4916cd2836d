import Credits

/// Prints entries of the journal as they come, one a line.
struct EventPrinter {
  private let options: StoreOptions
  private let label: (AccountID) throws(StoreError) -> String?
  private var names: [AccountID: String] = [:]
  /// How many were printed.
  private(set) var printed = 0

  /// The most names that are kept.
  private static let mostNames = 10_000

  /// Makes a printer that finds the labels of accounts by a function.
  init(options: StoreOptions, label: @escaping (AccountID) throws(StoreError) -> String?) {
    self.options = options
    self.label = label
  }

  /// Prints the entries of some kinds after a place, at most so many, and answers the last entry that was looked at.
  @discardableResult
  mutating func print(
    after place: SequenceNumber, _ kinds: Set<JournalEntry.Kind>, limit: Int,
    forEach: (SequenceNumber, (JournalEntry) throws(StoreError) -> Bool) throws(StoreError) -> Void
  ) throws -> SequenceNumber {
    var last = place
    var found: [JournalEntry] = []
    repeat {
      // Names are looked up outside of the walk: a snapshot is not held longer than it must be.
      found.removeAll(keepingCapacity: true)
      let most = min(limit - printed, 4_096)
      try forEach(SequenceNumber(last.value + 1)) { (entry) throws(StoreError) -> Bool in
        last = entry.sequence
        if kinds.contains(entry.kind) { found.append(entry) }
        return found.count < most
      }
      for entry in found { try show(entry) }
      printed += found.count
      try Output.standard.flush()
    } while found.count == 4_096 && printed < limit
    return last
  }

  private mutating func show(_ entry: JournalEntry) throws {
    if options.json { return try Output.standard.line(EntryFormat.json(entry).text) }
    let amount = entry.amount == .zero ? "" : "  \(entry.amount.grouped)"
    let note = EntryFormat.note(entry)
    let line =
      "\(entry.sequence)  \(entry.time.brief)  \(try name(entry.account))  \(entry.kind.rawValue)\(amount)"
      + (note.isEmpty ? "" : "  \(note)")
    let text = line.escapedForTerminal
    try Output.standard.line(Terminal.outputWidth.map { text.cut(to: $0) } ?? text)
  }

  private mutating func name(_ account: AccountID) throws -> String {
    if let name = names[account] { return name }
    if names.count >= EventPrinter.mostNames { names.removeAll() }
    let found = try label(account) ?? ""
    let name = found.isEmpty ? account.description : found
    names[account] = name
    return name
  }
}
