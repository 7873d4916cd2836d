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
  /// The request, unless time did it.
  public let request: ReferenceRequest?
  /// When it was decided.
  public let time: Timestamp
  /// The amount concerned.
  public let amount: Amount
  /// What was available afterwards.
  public let available: Amount
  /// The amount asked for, where less was taken.
  public let asked: Amount?
  /// The grants concerned.
  public let parts: [Part]
  /// Why the request was declined.
  public let denial: Denial.Reason?
  /// The account's entry before.
  public let previous: SequenceNumber

  /// What is different in an entry of the store, in words; nil if nothing is.
  public func difference(from entry: JournalEntry) -> String? {
    var comparison = Comparison(of: "entry \(sequence) (\(kind))")
    comparison.check("the sequence", sequence, entry.sequence)
    comparison.check("the kind", kind, entry.kind)
    comparison.check("the request", request?.request, entry.request)
    comparison.check("the time", time, entry.time)
    comparison.check("the amount", amount, entry.amount)
    comparison.check("the available amount", available, entry.available)
    comparison.check("the amount asked", asked, entry.asked)
    comparison.check("the list of parts", parts, entry.parts.map { Part(grant: $0.grant, amount: $0.amount) })
    comparison.check("the denial", denial, entry.denial)
    comparison.check("what was declined", denial == nil ? nil : request?.kind, entry.declined)
    comparison.check("the entry before", previous, entry.previous)
    return comparison.difference
  }
}
