internal import Credits

/// An account as the rules say it must be: the sequential specification, one entry at a time.
struct Model {
  /// What is left of a grant, or the part of it that a hold has.
  struct Lot {
    var number: UInt32
    var priority: UInt8
    var expires: Int64
    var left: Int64
  }

  /// An open hold.
  struct Held {
    var amount: Int64
    var deadline: Int64
    var parts: [Lot]
  }

  let plan: Plan
  let account: Int
  private(set) var available: Int64 = 0
  private(set) var held: Int64 = 0
  /// The next moment at which something happens by itself.
  private(set) var trip = Int64.max
  private var isOpen = false
  private var time = Int64.min
  private var last: UInt64 = 0
  /// In the order of use.
  private var lots: [Lot] = []
  private var lastLot: UInt32 = 0
  private var holds: [UInt64: Held] = [:]
  private var refills = false
  private var charge: (number: UInt32, credits: Int64, isSent: Bool)?
  private var lastCharge: UInt32 = 0
  /// What must follow at once.
  private var (mustExhaust, mustRefill) = (false, false)
  private var mustExcess: Int64?

  init(_ plan: Plan, _ account: Int) {
    self.plan = plan
    self.account = account
  }

  /// Whether nothing has to follow.
  var isComplete: Bool { !mustExhaust && !mustRefill && mustExcess == nil }

  /// Takes one entry; answers what is wrong with it.
  ///
  /// - Parameter wanted: For the end of a hold by a caller: what that caller asked for; nil where nobody is known.
  mutating func take(_ event: Event, wanted: (isRelease: Bool, amount: Int64)?) -> String? {
    if event.time < time { return "its time is before that of the entry before" }
    let excess = mustExcess
    if let problem = follow(event) { return problem }
    if !event.kind.isOfTime, !(event.isByDeadline), trip <= event.time {
      return "something that was to happen at \(trip) had not happened by then"
    }
    let before = available
    if let problem = perform(event, excess, wanted) { return problem }
    (time, last) = (event.time, event.sequence)
    if available != event.available { return "it leaves \(event.available), it should leave \(available)" }
    if available < 0 { return "less than nothing is left" }
    mustExhaust = available == 0 && before > 0
    let looks = available < before || event.kind == .credited || event.kind == .refillSet
    if looks { mustRefill = refills && available < Plan.threshold && charge == nil }
    return nil
  }

  /// Whether the entry is the one that has to follow, if there is one.
  private mutating func follow(_ event: Event) -> String? {
    if !isComplete, event.sequence != last + 1 { return "something had to follow at once, and did not" }
    if mustExhaust {
      mustExhaust = false
      return event.kind == .exhausted ? nil : "nothing was left, and nobody is told"
    }
    if mustRefill {
      mustRefill = false
      return event.kind == .due ? nil : "less than the threshold was left, and no refill came due"
    }
    if mustExcess != nil {
      mustExcess = nil
      let fits = event.number == 0 && (event.kind == .debited || event.kind == .denied)
      return fits ? nil : "more was captured than held, and the rest was forgotten"
    }
    switch event.kind {
    case .exhausted: return "nobody had to be told that nothing is left"
    case .due: return "a refill came due without need, or a second time"
    default: return nil
    }
  }

  private mutating func perform(
    _ event: Event, _ excess: Int64?, _ wanted: (isRelease: Bool, amount: Int64)?
  ) -> String? {
    if !isOpen, event.kind != .opened { return "the account is not open" }
    switch event.kind {
    case .opened:
      if isOpen { return "the account is opened again" }
      isOpen = true
    case .methodSaved: break
    case .refillSet: refills = true
    case .granted:
      let step = plan.step(event.number)
      guard step.account == account, step.verb == .grant || step.verb == .expiring else { return "nobody asked for it" }
      if event.amount != step.amount { return "\(step.amount) was asked for" }
      add(step.amount, priority: step.verb == .expiring ? 20 : 30, expires: step.expires)
    case .debited: return debit(event, excess)
    case .denied: return deny(event, excess)
    case .held: return hold(event)
    case .captured, .released: return end(event, wanted)
    case .expired:
      guard let index = lots.firstIndex(where: { $0.number == event.grant }) else { return "there is no such grant" }
      if lots[index].expires > event.time { return "the grant expires later" }
      if lots[index].left != event.amount { return "\(lots[index].left) was left of the grant" }
      available -= event.amount
      lots.remove(at: index)
      findTrip()
    case .exhausted: if available != 0 { return "\(available) is left" }
    default: return pay(event)
    }
    return nil
  }

  private mutating func add(_ amount: Int64, priority: UInt8, expires: Int64) {
    lastLot += 1
    put(Lot(number: lastLot, priority: priority, expires: expires, left: amount))
    available += amount
    trip = min(trip, expires)
  }

  private mutating func put(_ lot: Lot) {
    if let index = lots.firstIndex(where: { $0.number == lot.number }) { return lots[index].left += lot.left }
    let index = lots.firstIndex {
      ($0.priority, $0.expires, $0.number) > (lot.priority, lot.expires, lot.number)
    }
    lots.insert(lot, at: index ?? lots.count)
  }

  /// Takes credits from the grants in the order of use; there must be so much.
  private mutating func take(_ amount: Int64) -> [Lot] {
    var parts: [Lot] = []
    var left = amount
    while left > 0 {
      var part = lots[0]
      part.left = min(left, part.left)
      left -= part.left
      lots[0].left -= part.left
      parts.append(part)
      if lots[0].left == 0 {
        let isNext = lots[0].expires == trip
        lots.removeFirst()
        if isNext { findTrip() }
      }
    }
    available -= amount
    return parts
  }

  private mutating func findTrip() {
    trip = .max
    for lot in lots { trip = min(trip, lot.expires) }
    for hold in holds.values { trip = min(trip, hold.deadline) }
  }

  private mutating func debit(_ event: Event, _ excess: Int64?) -> String? {
    var asked = excess ?? 0
    if excess == nil {
      let step = plan.step(event.number)
      guard step.account == account, [.debit, .debitUpTo, .usage].contains(step.verb) else {
        return "nobody asked for it"
      }
      asked = step.verb == .debitUpTo ? min(step.amount, available) : step.amount
    }
    if event.amount != asked { return "\(asked) was to be taken" }
    if asked > available || asked == 0 { return "\(asked) was taken where \(available) was left" }
    _ = take(asked)
    return nil
  }

  private func deny(_ event: Event, _ excess: Int64?) -> String? {
    let step = plan.step(event.number)
    if excess == nil, step.account != account { return "nobody asked for it" }
    if !event.isInsufficient {
      return step.verb == .hold && holds.count >= 256 ? nil : "it is denied for no reason"
    }
    let asked = excess ?? step.amount
    if event.amount != asked { return "\(asked) was asked for" }
    if excess == nil, step.verb == .debitUpTo { return available == 0 ? nil : "\(available) was left" }
    if excess == nil, ![.debit, .usage, .hold].contains(step.verb) { return "this cannot be denied" }
    return asked > available ? nil : "\(available) was left, and \(asked) asked for"
  }

  // MARK: Holds

  private mutating func hold(_ event: Event) -> String? {
    let step = plan.step(event.number)
    guard step.account == account, step.verb == .hold else { return "nobody asked for it" }
    if event.amount != step.amount { return "\(step.amount) was asked for" }
    if step.amount > available { return "\(step.amount) was held where \(available) was left" }
    let parts = take(step.amount)
    let deadline = event.time + step.duration
    holds[event.number] = Held(amount: step.amount, deadline: deadline, parts: parts)
    held += step.amount
    trip = min(trip, deadline)
    return nil
  }

  private mutating func end(_ event: Event, _ wanted: (isRelease: Bool, amount: Int64)?) -> String? {
    guard let hold = holds.removeValue(forKey: event.number) else { return "there is no such hold, or it has ended" }
    let expected: (isRelease: Bool, amount: Int64)
    if event.isByDeadline {
      if event.time < hold.deadline { return "its deadline is \(hold.deadline)" }
      expected = (plan.step(event.number).end == .release, -1)
    } else {
      if event.time >= hold.deadline { return "its deadline was \(hold.deadline)" }
      guard let wanted else { return "no caller ended the hold" }
      expected = wanted
    }
    if (event.kind == .released) != expected.isRelease { return "this is not how it was to end" }
    let wished = expected.isRelease ? 0 : expected.amount < 0 ? hold.amount : expected.amount
    let captured = min(wished, hold.amount)
    if event.amount != captured { return "\(captured) was to be captured" }
    if wished > hold.amount { mustExcess = wished - hold.amount }
    held -= hold.amount
    var left = captured
    for part in hold.parts {
      let taken = min(left, part.left)
      left -= taken
      guard part.left > taken, part.expires > event.time else { continue }
      var rest = part
      rest.left -= taken
      available += rest.left
      put(rest)
    }
    findTrip()
    return nil
  }

  // MARK: Refills

  /// What a refill buys now.
  private var refill: Int64 { (Plan.threshold - available + Plan.pack - 1) / Plan.pack * Plan.pack }

  private mutating func pay(_ event: Event) -> String? {
    switch event.kind {
    case .due:
      if charge != nil { return "another refill is open" }
      if event.amount != refill || event.charge != lastCharge + 1 { return "\(refill) was to be bought" }
      lastCharge += 1
      charge = (lastCharge, refill, false)
      return nil
    case .charging, .cancelled, .unsettled, .credited: break
    default: return "nothing brings such an entry about"
    }
    guard let open = charge, open.number == event.charge else { return "there is no such refill, or it has ended" }
    switch event.kind {
    case .charging:
      if open.isSent { return "it was sent before" }
      if available >= Plan.threshold { return "no refill was needed" }
      if event.amount != refill { return "\(refill) was to be bought" }
      charge = (open.number, refill, true)
    case .cancelled:
      if open.isSent { return "it was sent, and must be settled" }
      if available < Plan.threshold { return "the refill was needed" }
      charge = nil
    case .unsettled: if !open.isSent { return "it was not sent" }
    default:
      if !open.isSent { return "it was not sent" }
      if event.amount != open.credits { return "\(open.credits) was bought" }
      add(open.credits, priority: 30, expires: .max)
      charge = nil
    }
    return nil
  }

  // MARK: Reads

  /// Whether a balance is one that can be seen now, at some time between two, with what time does by itself.
  func shows(_ available: Int64, _ held: Int64, from early: Int64, to late: Int64) -> Bool {
    if trip > late { return (available, held) == (self.available, self.held) }
    var times = [early]
    for lot in lots where lot.expires > early && lot.expires <= late { times.append(lot.expires) }
    for hold in holds.values {
      if hold.deadline > early && hold.deadline <= late { times.append(hold.deadline) }
      for part in hold.parts where part.expires > early && part.expires <= late { times.append(part.expires) }
    }
    return times.contains { (available, held) == settled(at: $0) }
  }

  private func settled(at time: Int64) -> (Int64, Int64) {
    var (available, held): (Int64, Int64) = (0, 0)
    for lot in lots where lot.expires > time { available += lot.left }
    for (number, hold) in holds {
      if hold.deadline > time {
        held += hold.amount
      } else if plan.step(number).end == .release {
        for part in hold.parts where part.expires > time { available += part.left }
      }
    }
    return (available, held)
  }
}

extension JournalEntry.Kind {
  /// Whether an entry of the kind is made while time does its work: others must not be, before that is done.
  fileprivate var isOfTime: Bool { self == .expired || self == .exhausted || self == .due }
}
