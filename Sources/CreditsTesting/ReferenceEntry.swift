public import Credits

/// A record that the reference ledger expects the journal to have.
public struct ReferenceEntry: Hashable, Sendable {
  /// What was taken from one grant, or given by it.
  public struct Part: Hashable, Sendable {
    /// The grant's number.
    public let grant: UInt32
    /// The credits.
    public let amount: Amount
  }

  /// The place in the journal.
  public let sequence: SequenceNumber
  /// What happened.
  public let kind: JournalEntry.Kind
  /// When it was decided.
  public let time: Timestamp
  /// The amount concerned.
  public let amount: Amount
  /// What was available before.
  public let before: Amount
  /// What was available afterwards.
  public let available: Amount
  /// The account's entry before.
  public let previous: SequenceNumber
  /// The details.
  public let details: Details

  /// What only some entries have.
  public struct Details: Hashable, Sendable {
    /// The request, unless time did it.
    var request: RequestID?
    /// The amount asked for, where less was taken.
    var asked: Amount?
    /// The grants concerned.
    var parts: [Part] = []
    /// What went from a hold back to its grants.
    var returned: [Part] = []
    /// What expired with the entry.
    var lapsed: [Part] = []
    /// What went over into a new allowance.
    var rolled: [Part] = []
    /// Why the request was declined.
    var denial: Denial.Reason?
    /// What was declined.
    var declined: JournalEntry.Kind?
    var source: Grant.Source?
    var priority: UInt8?
    var starts: Timestamp?
    var expires: Timestamp?
    var text: String?
    var agent: String?
    var link: String?
    var corrects: SequenceNumber?
    var hold: RequestID?
    var charge: UInt32?
    var method: UInt32?
    var money: Money?
    var until: Timestamp?
    var cause: String?
    var usage: Usage?
    var priceVersion: UInt32?
  }

  /// What is different in an entry of the store, in words; nil if nothing is.
  public func difference(from entry: JournalEntry) -> String? {
    var comparison = Comparison(of: "entry \(sequence) (\(kind))")
    comparison.check("the sequence", sequence, entry.sequence)
    comparison.check("the kind", kind, entry.kind)
    comparison.check("the request", details.request, entry.request)
    comparison.check("the time", time, entry.time)
    comparison.check("the amount", amount, entry.amount)
    comparison.check("what was available before", before, entry.availableBefore)
    comparison.check("the available amount", available, entry.available)
    comparison.check("the amount asked", details.asked, entry.asked)
    comparison.check("the list of parts", details.parts, entry.parts.map(Part.init))
    comparison.check("the denial", details.denial, entry.denial)
    comparison.check("what was declined", details.declined, entry.declined)
    comparison.check("the price version", details.priceVersion, entry.priceVersion)
    comparison.check("the usage", details.usage?.comparable, entry.usage?.comparable)
    comparison.check("the entry before", previous, entry.previous)
    if details.denial == nil { compareDetails(entry, &comparison) }
    return comparison.difference
  }

  private func compareDetails(_ entry: JournalEntry, _ comparison: inout Comparison) {
    comparison.check("the list of returned parts", details.returned, entry.returned.map(Part.init))
    comparison.check("the list of lapsed parts", details.lapsed, entry.lapsed.map(Part.init))
    comparison.check("the list of parts rolled over", details.rolled, entry.rolled.map(Part.init))
    comparison.check("the source", details.source, entry.source)
    comparison.check("the priority", details.priority, entry.priority)
    comparison.check("the start", details.starts, entry.starts)
    comparison.check("the expiry", details.expires, entry.expires)
    comparison.check("the text", details.text.nonEmpty, entry.text)
    comparison.check("the agent", details.agent, entry.agent)
    comparison.check("the link", details.link.nonEmpty, entry.link)
    comparison.check("the debit made good", details.corrects, entry.corrects)
    comparison.check("the hold", details.hold, entry.hold)
    comparison.check("the charge", details.charge, entry.charge)
    comparison.check("the method", details.method, entry.method)
    comparison.check("the money", details.money, entry.money)
    comparison.check("the end of it", details.until, entry.until)
    comparison.check("the cause", details.cause, entry.cause)
  }
}

extension ReferenceEntry.Part {
  fileprivate init(_ part: JournalEntry.Part) { self.init(grant: part.grant, amount: part.amount) }
}

extension String? {
  fileprivate var nonEmpty: String? { self == "" ? nil : self }
}

extension Usage {
  /// The usage without the names of its units: a number alone has none, and its entry names the only rate's.
  fileprivate var comparable: [String?] {
    [feature, model, tier] + units.values.sorted().map { String($0) }
  }
}
