import Credits

/// The forms in which entries of the journal are printed and exported.
enum EntryFormat {
  /// The titles of the columns of CSV.
  static let columns = [
    "sequence", "time", "kind", "account", "request", "amount", "asked", "available_before", "available", "reason",
    "declined", "grants", "source", "reference", "priority", "starts", "expires", "text", "agent", "link", "corrects",
    "hold", "charge",
    "method", "money", "until", "cause", "feature", "model", "tier", "units", "price_version", "returned", "lapsed",
    "rolled", "previous",
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
    for (key, parts) in [
      ("grants", entry.parts), ("returned", entry.returned), ("lapsed", entry.lapsed), ("rolled", entry.rolled),
    ] where !parts.isEmpty {
      members.append((key, .array(parts.map { ["grant": .number($0.grant), "amount": .text($0.amount)] })))
    }
    add("source", entry.source?.kind)
    if let reference = entry.source?.reference, !reference.isEmpty { add("reference", reference) }
    if let priority = entry.priority { members.append(("priority", .number(priority))) }
    add("starts", entry.starts)
    add("expires", entry.expires)
    add("text", entry.text)
    add("agent", entry.agent)
    add("link", entry.link)
    if let debit = entry.corrects { members.append(("corrects", .number(debit.value))) }
    add("hold", entry.hold)
    if let charge = entry.charge { members.append(("charge", .number(charge))) }
    if let method = entry.method { members.append(("method", .number(method))) }
    add("money", entry.money)
    add("until", entry.until)
    add("cause", entry.cause)
    if let usage = entry.usage { members.append(("usage", UsageFormat.json(usage))) }
    if let version = entry.priceVersion { members.append(("price_version", .number(version))) }
    members.append(("previous", .number(entry.previous.value)))
    return .object(members)
  }

  /// An entry as a line of CSV: texts of others are kept from being formulas, numbers and our names stay as they are.
  static func csv(_ entry: JournalEntry) -> String {
    func list(_ parts: [JournalEntry.Part]) -> String {
      parts.map { "\($0.grant):\($0.amount)" }.joined(separator: " ")
    }
    func text(_ text: String?) -> String { text?.asCellText ?? "" }
    let units = entry.usage?.counts.map { "\($0.unit)=\($0.count)" }.joined(separator: " ")
    let fields: [String] = [
      entry.sequence.description, entry.time.description, entry.kind.rawValue, entry.account.description,
      entry.request?.description ?? "", entry.amount.description, entry.asked?.description ?? "",
      entry.availableBefore.description, entry.available.description, entry.denial?.code ?? "",
      entry.declined?.rawValue ?? "", list(entry.parts), entry.source?.kind.description ?? "",
      text(entry.source?.reference),
      entry.priority?.description ?? "", entry.starts?.description ?? "", entry.expires?.description ?? "",
      text(entry.text), text(entry.agent), text(entry.link), entry.corrects?.description ?? "",
      entry.hold?.description ?? "", entry.charge?.description ?? "", entry.method?.description ?? "",
      entry.money?.description ?? "", entry.until?.description ?? "", text(entry.cause), text(entry.usage?.feature),
      text(entry.usage?.model), text(entry.usage?.tier), text(units), entry.priceVersion?.description ?? "",
      list(entry.returned), list(entry.lapsed), list(entry.rolled), entry.previous.description,
    ]
    return fields.map(\.escapedForCSV).joined(separator: ",")
  }

  /// What an entry's row notes beside its numbers.
  static func note(_ entry: JournalEntry) -> String {
    var what: [String] = []
    if let reason = entry.denial { what.append(reason.code) }
    if let declined = entry.declined, declined != .debited { what.append("(\(declined.rawValue))") }
    if let source = entry.source { what.append(describe(source)) }
    if let asked = entry.asked, asked != entry.amount { what.append("of \(asked.grouped) asked") }
    if let starts = entry.starts { what.append("from \(starts.brief)") }
    if let expires = entry.expires { what.append("until \(expires.brief)") }
    var notes = [what.joined(separator: " "), entry.text ?? "", entry.usage?.description ?? "", entry.cause ?? ""]
    if let charge = entry.charge { notes.append("charge \(charge)") }
    if let money = entry.money { notes.append("\(money)") }
    if let debit = entry.corrects { notes.append("for entry \(debit)") }
    if let agent = entry.agent { notes.append("by \(agent)") }
    if let link = entry.link { notes.append(link) }
    for (word, parts) in [("returned", entry.returned), ("lapsed", entry.lapsed), ("rolled over", entry.rolled)]
    where !parts.isEmpty {
      notes.append("\(word) \(parts.reduce(Int128(0)) { $0 + Int128($1.amount.millionths) }.credits)")
    }
    if let until = entry.until { notes.append("until \(until.brief)") }
    return notes.filter { !$0.isEmpty }.joined(separator: ", ")
  }

  /// A source and what it refers to.
  static func describe(_ source: Grant.Source) -> String {
    source.reference.isEmpty ? "\(source.kind)" : "\(source.kind) \(source.reference)"
  }
}
