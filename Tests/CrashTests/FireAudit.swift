import CrashSupport
import Credits
import CreditsTesting

/// Compares the journal of a store under fire with what its processes were told, and with the cards that were charged.
struct FireAudit {
  /// How much was seen.
  struct Seen {
    var entries: [JournalEntry.Kind: Int] = [:]
    /// Crossings of the threshold by what they led to: a refill that is due, or the reason why none is.
    var crossings: [String: Int] = [:]
    var answers = 0
    var repeated = 0
    var events = 0
  }

  private(set) var accounts: [UInt64: Bills] = [:]
  private(set) var findings: [String] = []
  private(set) var seen = Seen()
  /// The last entry that was read.
  private(set) var last = SequenceNumber.none
  /// The greatest number of a step that was answered in the round before.
  private(set) var lastStep = 0
  private var answered: [Operation.Key: Reply] = [:]
  private var held: Set<Operation.Key> = []
  private var told: Set<UInt64> = []
  private var events: Set<UInt64> = []
  /// The account of the entry before, and whether that entry crossed the threshold downwards.
  private var latest: UInt64?
  private var hasCrossed = false
  /// Whether a refill came due with the change that is being read.
  private var hasDue = false

  private mutating func find(_ text: String) { if findings.count < 20 { findings.append(text) } }

  // MARK: The journal

  /// Reads on in the journal.
  ///
  /// Entries of one change stand in a row, so that a refill which an account is owed must be there before an entry of
  /// another account.
  mutating func read(_ forEach: ((JournalEntry) throws(StoreError) -> Bool) throws(StoreError) -> Void)
    throws(StoreError) -> [UInt64: JournalEntry]
  {
    var fresh: [UInt64: JournalEntry] = [:]
    try forEach { (entry) throws(StoreError) in
      guard entry.sequence.value == last.value + 1 else {
        find("after entry \(last) comes \(entry.sequence)")
        return false
      }
      last = entry.sequence
      fresh[entry.sequence.value] = entry
      take(entry)
      return true
    }
    settleLatest()
    return fresh
  }

  private mutating func take(_ entry: JournalEntry) {
    let number = entry.account.low
    if number != latest || entry.request != nil { settleLatest() }
    latest = number
    seen.entries[entry.kind, default: 0] += 1
    if JournalEntry.Kind.events.contains(entry.kind) { events.insert(entry.sequence.value) }
    if entry.kind == .held, let request = entry.request {
      held.insert(Operation.Key(account: number, request: request))
    }
    var bills = accounts[number] ?? Bills(number)
    if entry.availableBefore >= Fire.threshold, entry.available < Fire.threshold { hasCrossed = true }
    if entry.kind == .due { hasDue = true }
    if let problem = bills.take(entry) { find("\(entry): \(problem)") }
    accounts[number] = bills
  }

  /// Looks at an account after the entries of one change.
  private mutating func settleLatest() {
    guard let latest, let bills = accounts[latest] else { return }
    if bills.isOwed { find("account \(latest) has \(bills.available) after entry \(bills.last), and no refill is due") }
    if hasCrossed, bills.available < Fire.threshold {
      seen.crossings[hasDue ? "due" : bills.excuse ?? "owed", default: 0] += 1
    }
    (hasCrossed, hasDue) = (false, false)
  }

  // MARK: What was told

  /// Compares what a process was told with the entries that are new since the last audit.
  mutating func compare(_ lines: [Line], with fresh: [UInt64: JournalEntry], round: Int) {
    var event: UInt64 = 0
    lastStep = 0
    for line in lines {
      switch line {
      case .answered(let key, let reply): compare(key, reply, with: fresh, round: round)
      case .step(let text) where text.hasPrefix("event "):
        guard let number = UInt64(text.dropFirst(6)), number > event else {
          find("the feed tells \(text) after \(event)")
          continue
        }
        event = number
        told.insert(number)
        seen.events += 1
      case .trouble(let text): find(text)
      case .step, .asked: break
      }
    }
  }

  private mutating func compare(
    _ key: Operation.Key, _ reply: Reply, with fresh: [UInt64: JournalEntry], round: Int
  ) {
    seen.answers += 1
    if UInt64(round) == key.request.high >> 32 { lastStep = max(lastStep, Int(key.request.low & 0xFFFF_FFFF)) }
    if reply.sequence == 0 {
      guard let (part, request) = key.part, part == .hold, reply.code == 0 else { return }
      if !held.contains(Operation.Key(account: key.account, request: request)) { find("the hold \(key) is lost") }
      return
    }
    if let first = answered.updateValue(reply.outcome, forKey: key) {
      seen.repeated += 1
      if first != reply.outcome { find("\(key) was answered \(first), and again \(reply)") }
      return
    }
    // What was done by a process that was killed before it told may be told by the next.
    guard let entry = fresh[reply.sequence] else {
      if reply.sequence > last.value { find("\(key) was answered \(reply), and is lost") }
      return
    }
    let isOwn: Bool
    if let (part, request) = key.part {
      isOwn = part == .hold ? entry.request == request : entry.hold == request
    } else {
      isOwn = entry.request == key.request
    }
    guard isOwn, entry.account.low == key.account, (entry.kind == .denied) == (reply.code != 0),
      reply.code > 1 || entry.amount.millionths == reply.amount,
      reply.code > 1 || entry.available.millionths == reply.balance, entry.time.microseconds == reply.time
    else {
      find("\(key) was answered \(reply), the journal has \(entry)")
      return
    }
  }

  /// Looks whether a consumer was told all events that it has acknowledged.
  mutating func compareEvents(upTo cursor: SequenceNumber) {
    let missing = events.filter { $0 <= cursor.value && !told.contains($0) }
    if let first = missing.min() { find("\(missing.count) events were never told, the first is \(first)") }
  }

  // MARK: The cards

  /// Compares what was charged to cards with what was credited.
  mutating func compare(_ gateway: borrowing GatewayBook) {
    for key in gateway.twice { find("\(key) was charged twice") }
    var (taken, credited, open): (Int64, Int64, Int64) = (0, 0, 0)
    var paid: [UInt64: Set<UInt32>] = [:]
    for charge in gateway.taken {
      let account = charge.account.low
      guard let number = charge.key.split(separator: "-").dropLast().last.flatMap({ UInt32($0) }),
        let bill = accounts[account]?.bills[number], bill.sent != nil, bill.money == charge.money
      else {
        find("\(charge) is for nothing")
        continue
      }
      if !paid[account, default: []].insert(number).inserted { find("\(charge) was paid under another key, too") }
      taken += charge.money.minor
      switch bill.end {
      case .credited: credited += charge.money.minor
      case nil: open += charge.money.minor
      default: find("\(charge) was paid, and has ended as \(bill.end?.rawValue ?? "")")
      }
    }
    var given: Int64 = 0
    for (account, bills) in accounts {
      for (number, bill) in bills.bills where bill.end == .credited {
        given += bill.money.minor
        if paid[account]?.contains(number) != true {
          find("charge \(number) of account \(account) was credited, not paid")
        }
      }
    }
    if taken != given + open { find("\(taken) cents were taken, \(given) credited, and \(open) are open") }
  }

  /// Looks whether everything has come to its end: no charge is open, and each card that was charged got its credits.
  mutating func compareEnd(_ gateway: borrowing GatewayBook) {
    for (account, bills) in accounts {
      for (number, bill) in bills.bills where bill.end == nil {
        find("charge \(number) of account \(account) has not ended: \(bill)")
      }
    }
    compare(gateway)
  }
}

/// What a payment provider did, read from its memory.
struct GatewayBook {
  let taken: [ScriptedGateway.Taken]
  let twice: [String]
  let repeats: Int

  init(_ gateway: ScriptedGateway) {
    taken = gateway.taken
    twice = gateway.chargedTwice
    repeats = gateway.repeats
  }
}
