internal import Credits

/// The check of one account: matches calls and entries, replays the entries by the rules, compares with real time.
struct AccountCheck {
  private let history: History
  private let account: Int
  /// The account's entries and calls, as indices.
  private let events: [Int32]
  private let calls: [Int32]
  private(set) var problems: [String] = []
  private(set) var reads = 0
  private(set) var replays = 0
  /// The calls that went on at the same time as an earlier one.
  var overlapping: Int { order.overlapping }

  /// The entry of each request, and of each end of a hold.
  private var requests: [UInt64: Int] = [:]
  private var ends: [UInt64: Int] = [:]
  /// The calls that made each entry: who, and for how long they went on.
  private var owner: [Int32]
  /// What was there after each entry, and the next moment at which something happens by itself.
  private var available: [Int64] = []
  private var trips: [Int64] = []
  /// What each call says of the order: a place of its own, or one that it is not before.
  private var order: RealTime
  /// The reads of each version.
  private var readsOf: [[Int32]]

  init(_ history: History, _ account: Int, _ events: [Int32], _ calls: [Int32]) {
    (self.history, self.account, self.events, self.calls) = (history, account, events, calls)
    owner = Array(repeating: -1, count: events.count)
    readsOf = Array(repeating: [], count: events.count)
    order = RealTime(capacity: calls.count + 8)
  }

  private func event(_ index: Int) -> Event { history.events[Int(events[index])] }
  private func call(_ index: Int32) -> Call { history.calls[Int(index)] }

  mutating func run() {
    for index in events.indices { note(event(index), index) }
    for number in calls { match(number) }
    replay()
    for name in history.sent where name.key.account == account { place(charge: name.key.number, at: name.value) }
    problems += order.check().map { (floor, item) in
      let what = item < 0 ? "a charge" : "\(call(item))"
      return "\(what) comes before place \(floor), which had been seen before it began"
    }
    for number in calls where call(number).verb == .gate || call(number).answer == .noHold { look(number) }
  }

  private mutating func note(_ event: Event, _ index: Int) {
    guard event.number != 0 else { return }
    let isEnd = event.kind == .captured || event.kind == .released
    let first =
      isEnd ? ends.updateValue(index, forKey: event.number) : requests.updateValue(index, forKey: event.number)
    if let first { problems.append("\(event) does again what \(self.event(first)) did") }
  }

  /// The account's entry with a sequence number.
  private func index(of sequence: UInt64) -> Int? {
    var (low, high) = (0, events.count)
    while low < high {
      let middle = (low + high) / 2
      if event(middle).sequence < sequence { low = middle + 1 } else { high = middle }
    }
    return low < events.count && event(low).sequence == sequence ? low : nil
  }

  // MARK: Calls and entries

  private mutating func match(_ number: Int32) {
    let call = call(number)
    if call.returned < call.began { return problems.append("\(call) ended before it began") }
    switch call.answer {
    case .none, .other: return problems.append("\(call) has no answer that fits")
    case .yes, .no, .noHold: return order.add(number, call.began, call.returned, exact: -1, least: -1)
    case .tooOld:
      if !history.plan.profile.isForgetful { problems.append("\(call) is too old for a store that forgets nothing") }
      return
    case .conflict:
      guard let found = index(of: call.sequence), requests[call.number] == found,
        call.asked != history.plan.step(call.number).amount
      else { return problems.append("\(call) conflicts with nothing") }
      return order.add(number, call.began, call.returned, exact: -1, least: 2 * found + 1)
    case .done, .insufficient, .limit: break
    }
    if call.asked != history.plan.step(call.number).amount, call.verb == .request {
      return problems.append("\(call) was carried out, though it conflicts with what was asked before")
    }
    let isHold = call.verb == .request && call.answer == .done && call.sequence == 0
    guard let found = isHold ? requests[call.number] : index(of: call.sequence) else {
      return problems.append("\(call) is not in the account's journal")
    }
    if call.verb == .balance {
      reads += 1
      readsOf[found].append(number)
      return order.add(number, call.began, call.returned, exact: 2 * found + 1, least: -1)
    }
    let event = event(found)
    if let problem = difference(call, event, found, isHold: isHold) {
      return problems.append("\(call) was told otherwise than \(event): \(problem)")
    }
    if call.isReplay {
      replays += 1
      return order.add(number, call.began, call.returned, exact: -1, least: 2 * found + 1)
    }
    if isHold {
      // A hold does not say whether it is a repetition: the first to begin, and the first to be told.
      if owner[found] < 0 { owner[found] = number }
      return order.addShared(number, call.began, call.returned, place: 2 * found)
    }
    if owner[found] >= 0 { problems.append("\(call) and \(self.call(owner[found])) both made \(event)") }
    owner[found] = number
    order.add(number, call.began, call.returned, exact: 2 * found, least: -1)
    if !history.plan.profile.hasSystemClock, event.time < call.clockBefore || event.time > call.clockAfter {
      problems.append("\(call) was decided at \(event.time), outside of its time")
    }
  }

  /// What a caller was told otherwise than the journal has it.
  private func difference(_ call: Call, _ event: Event, _ found: Int, isHold: Bool) -> String? {
    let isDenied = event.kind == .denied
    if (call.answer == .done) == isDenied { return "granted or denied" }
    if call.answer == .insufficient, !event.isInsufficient { return "the reason" }
    switch call.verb {
    case .request: if event.number != call.number || requests[call.number] != found { return "the request" }
    case .end:
      guard ends[call.number] == found else { return "the hold" }
      if call.isByDeadline != event.isByDeadline { return "the cause" }
      if call.isByDeadline, !call.isReplay { return "a deadline's end is nobody's own" }
    case .excess: if found == 0 || ends[call.number] != found - 1 { return "what is beyond the hold" }
    case .balance, .gate: break
    }
    if call.time != event.time { return "the time" }
    if call.answer != .limit, call.amount != event.amount { return "the amount" }
    if !isHold, call.answer != .limit, call.available != event.available { return "the balance" }
    return nil
  }

  /// A charge was sent after its entry, and credited after that.
  private mutating func place(charge: UInt32, at moment: UInt64) {
    for index in events.indices where event(index).charge == charge {
      if event(index).kind == .charging { order.add(-1, 0, moment, exact: 2 * index, least: -1) }
      if event(index).kind == .credited { order.add(-1, moment, .max, exact: 2 * index, least: -1) }
    }
  }

  // MARK: The rules

  private mutating func replay() {
    var model = Model(history.plan, account)
    let system = history.plan.profile.hasSystemClock
    available.reserveCapacity(events.count)
    trips.reserveCapacity(events.count)
    for index in events.indices {
      let event = event(index)
      let made: Call? = owner[index] < 0 ? nil : call(owner[index])
      let isOwned = event.number != 0 && !event.isByDeadline
      if isOwned, made == nil { problems.append("\(event) was made for no caller") }
      let wanted = made.flatMap { $0.verb == .end ? (isRelease: $0.isRelease, amount: $0.asked) : nil }
      if let problem = model.take(event, wanted: wanted) {
        problems.append("\(event): \(problem)")
        // What follows would be wrong all the same.
        return
      }
      available.append(model.available)
      trips.append(model.trip)
      for number in readsOf[index] {
        let call = call(number)
        // The system's coarse clock is some milliseconds late.
        let early = max(event.time, call.clockBefore - (system ? 20_000 : 0))
        let late = max(early, call.clockAfter)
        if !model.shows(call.available, call.held, from: early, to: late) {
          problems.append("\(call) shows what was not there: \(model.available) and \(model.held) held")
        }
      }
    }
    if !model.isComplete { problems.append("something had to follow the last entry") }
  }

  // MARK: Calls without a place of their own

  /// Whether there is a state, while a call went on, that gives its answer.
  private mutating func look(_ number: Int32) {
    guard let range = order.range(of: number), available.count == events.count, !events.isEmpty else { return }
    let call = call(number)
    let states =
      min(
        max(0, range.lowerBound / 2), events.count - 1)...max(
        0, min((range.upperBound - 1) / 2, events.count - 1))
    if call.answer == .noHold {
      guard let made = requests[call.number], event(made).kind == .held else { return }
      let isBefore = states.lowerBound <= made
      let isForgotten = history.plan.profile.isForgetful && ends[call.number].map { states.upperBound >= $0 } ?? false
      if !isBefore && !isForgotten { problems.append("\(call) found no hold, though it was there") }
      return
    }
    for state in states {
      if trips[state] <= call.clockAfter || (available[state] >= call.asked) == (call.answer == .yes) { return }
    }
    problems.append("\(call): no state from \(states.lowerBound) to \(states.upperBound) says so")
  }
}
