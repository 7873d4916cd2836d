import Credits

/// The forms in which entries of the journal are printed and exported.
enum EntryFormat {
  /// The titles of the columns of CSV.
  static let columns = [
    "sequence", "time", "kind", "account", "request", "amount", "asked", "available_before", "available", "reason",
    "declined", "grants", "source", "reference", "priority", "starts", "expires", "text", "previous",
  ]

  /// An entry as an object; what does not apply is left out.
  static func json(_ entry: JournalEntry) -> JSON {
    var members: [(key: String, value: JSON)] = [
      ("sequence", .number(entry.sequence.value)), ("time", .text(entry.time)), ("kind", .string(entry.kind.rawValue)),
      ("account", .text(entry.account)), ("request", .text(entry.request)), ("amount", .text(entry.amount)),
      ("available_before", .text(entry.availableBefore)), ("available", .text(entry.available)),
    ]
    func add(_ key: String, _ value: (some CustomStringConvertible)?) {
      if let value { members.append((key, .string(value.description))) }
    }
    add("asked", entry.asked)
    add("reason", entry.denial?.code)
    add("declined", entry.declined?.rawValue)
    if !entry.parts.isEmpty {
      members.append(
        (
          "grants",
          .array(entry.parts.map { ["grant": .number($0.grant), "amount": .text($0.amount)] })
        ))
    }
    add("source", entry.source?.kind)
    if let reference = entry.source?.reference, !reference.isEmpty { add("reference", reference) }
    if let priority = entry.priority { members.append(("priority", .number(priority))) }
    add("starts", entry.starts)
    add("expires", entry.expires)
    add("text", entry.text)
    members.append(("previous", .number(entry.previous.value)))
    return .object(members)
  }

  /// An entry as a line of CSV.
  static func csv(_ entry: JournalEntry) -> String {
    let parts = entry.parts.map { "\($0.grant):\($0.amount)" }.joined(separator: " ")
    let fields: [String] = [
      entry.sequence.description, entry.time.description, entry.kind.rawValue, entry.account.description,
      entry.request?.description ?? "", entry.amount.description, entry.asked?.description ?? "",
      entry.availableBefore.description, entry.available.description, entry.denial?.code ?? "",
      entry.declined?.rawValue ?? "", parts, entry.source?.kind.description ?? "", entry.source?.reference ?? "",
      entry.priority?.description ?? "", entry.starts?.description ?? "", entry.expires?.description ?? "",
      entry.text ?? "", entry.previous.description,
    ]
    return fields.map(\.escapedForCSV).joined(separator: ",")
  }

  /// What an entry's row notes beside its numbers.
  static func note(_ entry: JournalEntry) -> String {
    var notes: [String] = []
    if let reason = entry.denial { notes.append(reason.code) }
    if let declined = entry.declined, declined != .debited { notes.append("(\(declined.rawValue))") }
    if let source = entry.source { notes.append(describe(source)) }
    if let asked = entry.asked { notes.append("of \(asked.grouped) asked") }
    if let starts = entry.starts { notes.append("from \(starts.brief)") }
    if let expires = entry.expires { notes.append("until \(expires.brief)") }
    if let text = entry.text { notes.append(text) }
    return notes.joined(separator: " ")
  }

  /// A source and what it refers to.
  static func describe(_ source: Grant.Source) -> String {
    source.reference.isEmpty ? "\(source.kind)" : "\(source.kind) \(source.reference)"
  }
}
