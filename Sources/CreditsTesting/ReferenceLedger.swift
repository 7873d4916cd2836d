public import Credits

/// The oracle: what a store must answer, worked out in the simplest way that can be right.
///
/// Written from the promises and the documentation, not from the store's code: one thread, arrays and dictionaries,
/// everything added up anew each time. It predicts each outcome and each account to the last millionth, and the journal
/// entry by entry. It has no request window: it forgets nothing, so compare it with stores whose window is large
/// enough.
public struct ReferenceLedger: Sendable {
  /// The accounts that were opened.
  public private(set) var accounts: [AccountID: ReferenceAccount] = [:]
  /// The last entry of the journal.
  public private(set) var last = SequenceNumber.none
  /// What the wall clock shows; it may go back.
  public private(set) var clock: Timestamp
  /// The store's latest time, which never goes back.
  public private(set) var latest: Timestamp
  /// The time of the latest entry.
  public private(set) var recorded = Timestamp.zero

  private struct Key: Hashable {
    let account: AccountID
    let request: RequestID
  }

  private struct Answered {
    let request: ReferenceRequest
    let outcome: Outcome
    let sequence: SequenceNumber
  }

  private var answered: [Key: Answered] = [:]

  /// All totals together with what is not yet usable must stay below this many millionths: a quarter of 64 bits.
  static let totalLimit = Int128(Int64.max / 4)
  /// The most grants with something left.
  static let grantLimit = 1_000

  /// Makes an empty ledger at a moment.
  public init(at time: Timestamp) {
    clock = time
    latest = time
  }

  /// The time that the next request is decided at.
  public var now: Timestamp { max(clock, latest) }

  /// Moves the wall clock.
  public mutating func setClock(_ time: Timestamp) { clock = time }

  /// The store was opened anew: it takes the clock as it is, and knows the time of its entries.
  public mutating func reopen() { latest = max(recorded, clock) }

  /// The accounts to which something has happened by itself that is not recorded yet.
  public var due: [AccountID] {
    accounts.values.filter { $0.nextMoment.map { $0 <= now } ?? false }.map(\.id)
  }

  /// Records what time has done by itself to some accounts, in this order, which is the store's to choose.
  public mutating func settle(_ order: [AccountID]) {
    latest = now
    for account in order {
      accounts[account]?.settle(at: latest, after: &last)
      recorded = latest
    }
  }

  /// Answers a request.
  public mutating func perform(_ request: ReferenceRequest) -> Outcome {
    let time = now
    let before = last
    let outcome = decide(request, at: time)
    if last > before { (latest, recorded) = (max(latest, time), max(recorded, time)) }
    return outcome
  }

  private mutating func decide(_ request: ReferenceRequest, at time: Timestamp) -> Outcome {
    let key = Key(account: request.account, request: request.request)
    // No id at all.
    if request.request == RequestID(0) { return denied(.invalid, at: time) }
    if let earlier = answered[key] {
      if earlier.request == request { return earlier.outcome.replayed }
      return denied(.conflict(with: earlier.sequence), at: time)
    }
    guard var account = accounts[request.account] else {
      return open(request, key, at: time)
    }
    account.settle(at: time, after: &last)
    defer { accounts[request.account] = account }
    guard request.isWellFormed else { return denied(.invalid, at: time) }
    if let reason = refusal(of: request, on: account) {
      account.add(.denied, request.amount, of: request, denial: reason, at: time, after: &last)
      return remember(
        .denied(Denial(reason: reason, sequence: last, time: time, isReplay: false)), of: request, key)
    }
    apply(request, to: &account, at: time)
    guard let entry = account.entries.last(where: { $0.request == request }) else {
      preconditionFailure("a request that is not refused makes an entry")
    }
    let receipt = Receipt(
      sequence: entry.sequence, time: time, amount: entry.amount, balance: entry.available, isReplay: false)
    return remember(.debited(receipt), of: request, key)
  }

  private mutating func open(_ request: ReferenceRequest, _ key: Key, at time: Timestamp) -> Outcome {
    guard case .open(let label) = request.verb else {
      return denied(request.isWellFormed ? .unknownAccount : .invalid, at: time)
    }
    guard request.isWellFormed else { return denied(.invalid, at: time) }
    var account = ReferenceAccount(id: request.account, label: label)
    account.add(.opened, 0, of: request, at: time, after: &last)
    accounts[request.account] = account
    let receipt = Receipt(sequence: last, time: time, amount: 0, balance: 0, isReplay: false)
    return remember(.debited(receipt), of: request, key)
  }

  private func denied(_ reason: Denial.Reason, at time: Timestamp) -> Outcome {
    .denied(Denial(reason: reason, sequence: nil, time: time, isReplay: false))
  }

  private mutating func remember(_ outcome: Outcome, of request: ReferenceRequest, _ key: Key) -> Outcome {
    let sequence: SequenceNumber? =
      switch outcome {
      case .debited(let receipt): receipt.sequence
      case .denied(let denial): denial.sequence
      }
    answered[key] = Answered(request: request, outcome: outcome, sequence: sequence ?? .none)
    return outcome
  }

  /// The first reason to decline a well-formed request, in the order of precedence.
  private func refusal(of request: ReferenceRequest, on account: ReferenceAccount) -> Denial.Reason? {
    if account.status == .closed { return .closed }
    switch request.verb {
    case .debit(let amount, let extent):
      if account.status == .frozen { return .frozen }
      let available = account.available
      let isCovered = extent == .whole ? available >= amount : available > 0
      return isCovered ? nil : .insufficient(available: available, needed: amount)
    case .grant(let amount, _, _, _, _):
      let waiting = account.waiting.reduce(0) { $0 + Int128($1.amount.millionths) }
      let total = account.granted + waiting + Int128(amount.millionths)
      return total < ReferenceLedger.totalLimit && account.grants.count < ReferenceLedger.grantLimit ? nil : .limit
    default: return nil
    }
  }

  private mutating func apply(_ request: ReferenceRequest, to account: inout ReferenceAccount, at time: Timestamp) {
    switch request.verb {
    case .open: break
    case .grant(let amount, let source, let priority, let starts, let expires):
      account.lastGrant += 1
      let begins = (starts ?? .zero) <= time
      account.grants.append(
        ReferenceAccount.Grant(
          number: account.lastGrant, kind: source.kind, priority: priority ?? source.kind.priority, amount: amount,
          remaining: amount, starts: starts ?? .zero, expires: expires ?? .never, hasBegun: begins))
      if begins { account.granted += Int128(amount.millionths) }
      let part = ReferenceEntry.Part(grant: account.lastGrant, amount: amount)
      account.add(.granted, amount, of: request, parts: [part], at: time, after: &last)
      // What had expired before it came is gone at once.
      account.settle(at: time, after: &last)
    case .debit(let amount, _): take(amount, request, from: &account, at: time)
    case .freeze:
      account.status = .frozen
      account.add(.frozen, 0, of: request, at: time, after: &last)
    case .unfreeze:
      account.status = .open
      account.add(.unfrozen, 0, of: request, at: time, after: &last)
    case .close:
      let gone = account.available
      account.expired += Int128(gone.millionths)
      account.grants = []
      account.status = .closed
      account.add(.closed, gone, of: request, at: time, after: &last)
    }
  }

  private mutating func take(
    _ amount: Amount, _ request: ReferenceRequest, from account: inout ReferenceAccount, at time: Timestamp
  ) {
    let taken = min(amount, account.available)
    var left = taken
    var parts: [ReferenceEntry.Part] = []
    for grant in account.usable where left > 0 {
      let part = min(left, grant.remaining)
      parts.append(ReferenceEntry.Part(grant: grant.number, amount: part))
      left -= part
    }
    for part in parts {
      guard let index = account.grants.firstIndex(where: { $0.number == part.grant }) else { continue }
      account.grants[index].remaining -= part.amount
      if account.grants[index].remaining == 0 { account.grants.remove(at: index) }
    }
    account.spent += Int128(taken.millionths)
    let asked = taken == amount ? nil : amount
    account.add(.debited, taken, of: request, asked: asked, parts: parts, at: time, after: &last)
  }
}

extension Outcome {
  /// The outcome, marked as that of an earlier request.
  var replayed: Outcome {
    switch self {
    case .debited(let receipt):
      .debited(
        Receipt(
          sequence: receipt.sequence, time: receipt.time, amount: receipt.amount, balance: receipt.balance,
          isReplay: true))
    case .denied(let denial):
      .denied(Denial(reason: denial.reason, sequence: denial.sequence, time: denial.time, isReplay: true))
    }
  }
}
