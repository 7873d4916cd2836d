internal import Credits

/// A random workload that looks for trouble: small spaces of ids, amounts and times at the edges, repetitions, clock
/// jumps.
///
/// What it does depends on its choices and on the reference ledger alone, so that a failing run can be repeated.
public struct RandomWorkload: Sendable {
  var random: Choices
  private let accounts: [AccountID]
  private var fresh: UInt64 = 1_000
  private var recent: [ReferenceRequest] = []
  /// The name of the next payment method or plan.
  var names = 0

  /// Makes the workload of a seed over so many accounts.
  public init(seed: UInt64, accounts: Int) { self.init(Choices(seed: seed), accounts: accounts) }

  /// Makes the workload that choices lead to, over so many accounts.
  public init(_ choices: Choices, accounts: Int) {
    self.init(choices, accounts: (0..<UInt64(accounts)).map { AccountID($0) })
  }

  /// Makes the workload that choices lead to, over some accounts.
  init(_ choices: Choices, accounts: [AccountID]) {
    random = choices
    self.accounts = accounts
  }

  /// Whether no choices are left.
  public var isAtEnd: Bool { random.isAtEnd }

  /// The next step, chosen with a look at the state.
  public mutating func next(_ ledger: ReferenceLedger) -> WorkloadStep {
    if ledger.isPaused, random.once(in: 60) { return .resumeCharges }
    switch draw() {
    case 0: return .reopen
    case 1: return .restore
    case 2: return .audit
    case 3: return .crash(act())
    case 4..<40: return .tick
    case 40..<440: return .clock(time(ledger))
    case 440..<500: return .batch(batch(ledger), acknowledgement())
    case 500..<530: return .usages(usages(ledger), acknowledgement())
    case 530..<560: return .quote(usage())
    case 560..<566 where ledger.prices.books.count < 16: return .publish(book(ledger))
    case 566..<700: return .work((0..<1 + random.below(6)).map { _ in act() })
    case 700..<740: return .end(order: random.below(8), charges: !random.once(in: 3))
    case 740..<800:
      return .notice(random.once(in: 20) ? random.below(1_000) : random.below(5), again: random.once(in: 3))
    case 800..<840: return report(ledger)
    default: return .request(request(ledger), acknowledgement())
    }
  }

  /// Which kind of step is next. A fuzzer may choose the rare ones as easily as the others.
  private mutating func draw() -> Int {
    guard random.areGiven else { return random.below(4_000) }
    let rare = [0, 1, 2, 3, 4, 40, 40, 40, 440, 500, 530, 560, 566, 700, 740, 800]
    return random.once(in: 3) ? random.pick(rare) : 4_000
  }

  private mutating func acknowledgement() -> Acknowledgement { random.once(in: 64) ? .durable : .applied }

  // MARK: Requests

  mutating func batch(_ ledger: ReferenceLedger) -> [ReferenceRequest] {
    var batch: [ReferenceRequest] = []
    for _ in 0..<random.below(12) {
      let account = account()
      let request = debit(ledger, account)
      batch.append(request)
      if random.once(in: 8) { batch.append(request) }
      remember(request)
    }
    return batch
  }

  mutating func request(_ ledger: ReferenceLedger) -> ReferenceRequest {
    if let repeated = repetition(ledger) { return repeated }
    let account = account()
    var request = ReferenceRequest(verb(ledger, account), on: account, request: id())
    if ledger.accounts[account] == nil, !random.once(in: 8) {
      request = ReferenceRequest(.open(label: label(account)), on: account, request: id())
    } else if random.below(1_000) < 110 {
      request = endOfHold(ledger, account)
    }
    remember(request)
    return request
  }

  private mutating func verb(_ ledger: ReferenceLedger, _ account: AccountID) -> ReferenceRequest.Verb {
    switch random.below(1_000) {
    case 0..<6: .freeze(reason: text())
    case 6..<18: .unfreeze(reason: text())
    case 18: random.once(in: 2) ? .close(reason: text()) : .unfreeze(reason: text())
    case 19..<34: .open(label: random.once(in: 8) ? text() : label(account))
    case 34..<190: grant(ledger, account).verb
    case 190..<290: .hold(amount(ledger, account), duration(), random.pick(Hold.End.allCases))
    case 290..<310: .holdFor(usage(), duration(), random.pick(Hold.End.allCases))
    case 310..<420: priced(ledger)
    case 420..<450: .subscribe(plan(), anchor: random.once(in: 3) ? anchor(ledger, account) : nil)
    case 450..<460: .unsubscribe(atOnce: random.once(in: 2))
    case 460..<482: .setAlerts(levels(ledger, account))
    case 482..<504: correction(ledger, account)
    case 504..<640: payment(ledger, account)
    default: debit(ledger, account).verb
    }
  }

  /// One of the latest requests once more: as it was, with other contents, or on another account.
  private mutating func repetition(_ ledger: ReferenceLedger) -> ReferenceRequest? {
    guard !recent.isEmpty, random.once(in: 10) else { return nil }
    let old = random.pick(recent)
    switch random.below(10) {
    case 0: return ReferenceRequest(debit(ledger, old.account).verb, on: old.account, request: old.request)
    case 1: return ReferenceRequest(grant(ledger, old.account).verb, on: old.account, request: old.request)
    case 2: return ReferenceRequest(.freeze(reason: text()), on: old.account, request: old.request)
    case 3: return ReferenceRequest(old.verb, on: account(), request: old.request)
    case 4: return ReferenceRequest(verb(ledger, old.account), on: old.account, request: old.request)
    default: return old
    }
  }

  mutating func remember(_ request: ReferenceRequest) {
    if recent.count < 512 { recent.append(request) } else { recent[random.below(recent.count)] = request }
  }

  /// A few accounts get half of the requests.
  mutating func account() -> AccountID {
    random.pick(random.once(in: 2) ? accounts.prefix(8) : accounts[...])
  }

  private func label(_ account: AccountID) -> String { account.low % 3 == 0 ? "" : "account-\(account.low)" }

  mutating func id() -> RequestID {
    if random.once(in: 500) { return RequestID(UInt64(random.below(4))) }
    fresh += 1
    return random.once(in: 16)
      ? RequestID(high: fresh << 16 | 0x7000, low: 0x8000_0000_0000_0000 | fresh) : RequestID(fresh)
  }

  mutating func text() -> String {
    random.pick(["", "a", "eight by", "größer", String(repeating: "x", count: 255), String(repeating: "y", count: 256)])
  }

  private mutating func debit(_ ledger: ReferenceLedger, _ account: AccountID) -> ReferenceRequest {
    let extent: Debit.Extent = random.once(in: 6) ? .upTo : .whole
    return ReferenceRequest(.debit(amount(ledger, account), extent), on: account, request: id())
  }

  mutating func amount(_ ledger: ReferenceLedger, _ account: AccountID) -> Amount {
    let state = ledger.accounts[account]
    switch random.below(40) {
    case 0: return 0
    case 1: return Amount(millionths: -1 - Int64(random.below(1_000)))
    case 2: return Amount(millionths: 1)
    case 3: return random.pick([.max, Amount(millionths: .min), Amount(millionths: .max / 4)])
    case 4, 5: return state?.available ?? 1
    case 6, 7: return Amount(millionths: (state?.available.millionths ?? 0) + 1)
    case 8, 9: return state?.usable.first?.remaining ?? 1
    case 10: return Amount(millionths: (state?.usable.first?.remaining.millionths ?? 0) + 1)
    default: return Amount(millionths: 1 + Int64(random.below(20_000_000)))
    }
  }

  private mutating func grant(_ ledger: ReferenceLedger, _ account: AccountID) -> ReferenceRequest {
    let kind = random.pick(Grant.Source.Kind.allCases)
    let verb = ReferenceRequest.Verb.grant(
      given(), Grant.Source(kind, random.once(in: 3) ? text() : ""),
      priority: random.once(in: 2) ? nil : UInt8(random.below(4)),
      starts: random.once(in: 3) ? moment(ledger) : nil, expires: random.once(in: 2) ? moment(ledger) : nil)
    return ReferenceRequest(verb, on: account, request: id())
  }

  private mutating func given() -> Amount {
    switch random.below(60) {
    case 0: 0
    case 1: Amount(millionths: -1)
    case 2, 3: Amount(millionths: 1)
    case 4:
      random.pick([.max, Amount(millionths: .max / 4), Amount(millionths: .max / 4 - 1), Amount(millionths: .min)])
    default: Amount(millionths: 1 + Int64(random.below(60_000_000)))
    }
  }

  // MARK: Times

  /// A moment for a grant to start or to end: now, a hair before or after, soon, far, or out of range.
  mutating func moment(_ ledger: ReferenceLedger) -> Timestamp {
    let now = ledger.now
    switch random.below(16) {
    case 0: return now
    case 1: return now + .microseconds(1)
    case 2: return now - .microseconds(1)
    case 3: return now - .seconds(random.below(1_000_000))
    case 4: return random.pick([.zero, .latest, .latest + .microseconds(1), .zero - .microseconds(1), .never])
    case 5: return now + .seconds(86_400 * random.below(4_000))
    default: return now + .microseconds(random.below(60_000_000))
    }
  }

  /// Where the wall clock goes next: mostly a little ahead, sometimes to a moment that matters, far ahead, or back.
  mutating func time(_ ledger: ReferenceLedger) -> Timestamp {
    switch random.below(40) {
    case 0: return ledger.clock - .microseconds(1 + random.below(100_000_000))
    case 1: return ledger.clock - .seconds(random.below(1_000_000))
    case 2: return ledger.now + .seconds(random.below(100_000))
    case 3: return moment(ledger, within: .seconds(40 * 86_400))
    case 4..<7: return moment(ledger, within: .seconds(86_400))
    case 7..<14: return moment(ledger, within: .seconds(600))
    default: return ledger.clock + .microseconds(random.below(3_000_000))
    }
  }

  /// A moment at which something happens to an account, or a charge is to be asked for; or a microsecond to either
  /// side.
  private mutating func moment(_ ledger: ReferenceLedger, within limit: Duration) -> Timestamp {
    for _ in 0..<8 {
      let account = ledger.accounts[account()]
      let retry = account?.openCharges.map(\.retry).filter { $0 != .never && $0 > ledger.now }.min()
      let moment = random.once(in: 3) ? retry ?? account?.nextMoment : account?.nextMoment
      if let moment, moment > ledger.clock, moment < ledger.now + limit {
        return moment + .microseconds(random.below(3) - 1)
      }
    }
    return ledger.now
  }
}
