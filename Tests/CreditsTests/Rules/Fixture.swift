@testable import Credits

/// An account that is brought into a state by commands, as the ledger would, with numbers in a row.
struct Fixture {
  static let start = Timestamp(seconds: 1_000)

  private(set) var account = Account(EntryTests.account)
  /// All records so far, each at the place that its number says, from 1 on.
  private(set) var records: [Record] = []
  private var requests: UInt64 = 0

  /// An open account.
  init() { run(.open(label: "alice")) }

  /// An account that was not opened.
  init(unopened: Void) {}

  /// Runs a command, and answers its outcome and the records it made.
  @discardableResult
  mutating func run(_ command: Command, at now: Timestamp = Fixture.start) -> (answer: Answer?, records: [Record]) {
    requests += 1
    return run(command, RequestID(requests), at: now)
  }

  /// Lets time do its work, and answers the records it made.
  @discardableResult
  mutating func wait(until now: Timestamp) -> [Record] {
    var draft = Draft(account)
    draft.settle(at: max(now, account.time))
    return keep(&draft)
  }

  /// Does what no request asks for: a step of a charge.
  @discardableResult
  mutating func act(_ command: Command, at now: Timestamp = Fixture.start) -> [Record] {
    run(command, .none, at: now).records
  }

  /// Runs a command under a request; time never goes back.
  @discardableResult
  mutating func run(
    _ command: Command, _ request: RequestID, at now: Timestamp = Fixture.start
  ) -> (answer: Answer?, records: [Record]) {
    let now = max(now, account.time)
    var draft = Draft(account)
    draft.settle(at: now)
    let reason = draft.decide(command, request: request, at: now)
    let first = SequenceNumber(UInt64(records.count) + 1)
    keep(&draft)
    return (draft.answer(to: request, from: first) ?? reason.map { .notRecorded($0, at: now) }, draft.records)
  }

  @discardableResult
  private mutating func keep(_ draft: inout Draft) -> [Record] {
    if !draft.records.isEmpty {
      draft.number(from: SequenceNumber(UInt64(records.count) + 1))
      account = draft.account
      records += draft.records
    }
    return draft.records
  }

  /// The reason for which a command is declined.
  mutating func refusal(_ command: Command, at now: Timestamp = Fixture.start) -> Denial.Reason? {
    if case .denied(let denial) = run(command, at: now).answer { denial.reason } else { nil }
  }

  mutating func give(
    _ amount: Amount, _ source: Grant.Source = .purchase("order"), priority: UInt8? = nil, starts: Timestamp = .zero,
    expires: Timestamp = .never, at now: Timestamp = Fixture.start
  ) {
    run(
      .grant(amount, source, priority: priority ?? source.kind.priority, starts: starts, expires: expires), at: now)
  }
}

extension Command {
  static func debit(_ amount: Amount, _ extent: Debit.Extent) -> Command { .debit(amount, extent, .none) }

  static func capture(_ hold: RequestID, _ amount: Amount?) -> Command { .capture(hold, amount, .none) }
}

extension Record {
  /// The record in a line: kind, amount, available, and the grants concerned.
  var line: String {
    let parts =
      switch entry.kind {
      case .debited, .granted, .begun, .expired, .held, .captured, .credited:
        parts.map { " \($0.grant):\($0.amount)" }.joined()
      default: ""
      }
    return "\(entry.kind) \(entry.amount) left \(entry.available)" + parts
  }
}
