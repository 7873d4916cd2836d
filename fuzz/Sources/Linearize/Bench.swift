internal import Credits

/// A history on which a control works: the entries of one account, and the calls.
struct Bench {
  var history: History
  let account: Int
  /// The account's entries.
  private(set) var events: [Event]
  private var owners: [UInt64: Int] = [:]
  private var replays: [UInt64: Int] = [:]

  init(_ history: History, _ account: Int?) {
    self.history = history
    // A control about refills needs an account that has them; accounts with an even number do.
    let chosen = account ?? 0
    self.account = chosen
    events = history.events.filter { $0.account == chosen }
    for (index, call) in history.calls.enumerated() where call.account == chosen && call.sequence > 0 {
      guard call.verb == .request || call.verb == .end, call.answer == .done || call.answer == .insufficient else {
        continue
      }
      if call.isReplay { replays[call.sequence] = index } else { owners[call.sequence] = index }
    }
  }

  /// What the account has at the end.
  var end: Int64 { events.last?.available ?? 0 }

  /// The reads of the account.
  var reads: [(Int, Call)] { history.calls.enumerated().filter { $1.verb == .balance && isChosen($1) } }

  func isChosen(_ call: Call) -> Bool { call.account == account }

  /// Whether an entry answers a debit of a fixed amount.
  func isWhole(_ event: Event) -> Bool {
    guard event.number != 0, owner(of: event) != nil else { return false }
    let verb = history.plan.step(event.number).verb
    return verb == .debit || verb == .usage
  }

  func first(where fits: (Event) -> Bool) -> Int? { events.firstIndex(where: fits) }

  /// The first two entries in a row that fit, and were made for callers.
  func pair(_ fits: (Event) -> Bool) -> (Int, Int)? {
    events.indices.dropLast().first {
      fits(events[$0]) && fits(events[$0 + 1]) && owner(of: events[$0]) != nil && owner(of: events[$0 + 1]) != nil
    }.map { ($0, $0 + 1) }
  }

  /// The call that made an entry.
  func owner(of event: Event) -> Int? { owners[event.sequence] }

  /// A call that was told of an entry once more.
  func replay(of event: Event) -> Int? { replays[event.sequence] }

  /// The place of an entry by its number.
  func place(of sequence: UInt64) -> Int? { events.firstIndex { $0.sequence == sequence } }

  /// Changes an entry.
  mutating func change(_ place: Int, _ body: (inout Event) -> Void) {
    body(&events[place])
    let sequence = events[place].sequence
    guard let index = history.events.firstIndex(where: { $0.sequence == sequence }) else { return }
    history.events[index] = events[place]
  }

  /// Tells the call that made an entry what the entry says now.
  mutating func tell(_ place: Int) {
    let event = events[place]
    for index in history.calls.indices
    where history.calls[index].sequence == event.sequence && history.calls[index].verb != .balance {
      history.calls[index].answer = event.kind == .denied ? .insufficient : .done
      (history.calls[index].amount, history.calls[index].available) = (event.amount, event.available)
    }
  }

  /// Lets more be left from an entry on, in what is written and in what is told.
  mutating func shift(from place: Int, by amount: Int64) {
    guard place < events.count else { return }
    let first = events[place].sequence
    for index in history.events.indices where history.events[index].account == account {
      if history.events[index].sequence >= first { history.events[index].available += amount }
    }
    for index in history.calls.indices where isChosen(history.calls[index]) && history.calls[index].sequence >= first {
      history.calls[index].available += amount
    }
  }

  /// Carries an entry out once more at the end, for a call that was told that it had been.
  mutating func again(_ place: Int, told call: Int) -> Bool {
    guard var event = events.last, let last = history.events.last else { return false }
    let old = events[place]
    let left = event.available
    event = old
    event.sequence = last.sequence + 1
    event.time = last.time
    event.available = left + (old.kind == .granted ? old.amount : old.kind == .debited ? -old.amount : 0)
    history.events.append(event)
    let end = history.calls.map(\.returned).max() ?? 0
    history.calls[call].isReplay = false
    (history.calls[call].began, history.calls[call].returned) = (end + 1, end + 2)
    (history.calls[call].clockBefore, history.calls[call].clockAfter) = (event.time, event.time)
    (history.calls[call].sequence, history.calls[call].time) = (event.sequence, event.time)
    history.calls[call].available = event.available
    return true
  }

  /// Lets two entries that follow each other change places.
  mutating func exchange(_ first: Int, _ second: Int) {
    let (one, two) = (events[first], events[second])
    guard let index = history.events.firstIndex(where: { $0.sequence == one.sequence }) else { return }
    var (late, early) = (one, two)
    (late.sequence, early.sequence) = (two.sequence, one.sequence)
    early.available = two.available + one.amount
    late.available = two.available
    (history.events[index], history.events[index + 1]) = (early, late)
    for call in history.calls.indices where history.calls[call].sequence == two.sequence {
      guard history.calls[call].verb != .balance else { continue }
      (history.calls[call].sequence, history.calls[call].available) = (early.sequence, early.available)
    }
  }

  /// Removes entries, as if they had never been written.
  mutating func removeEvents(where fits: (Event) -> Bool) {
    history.events.removeAll { $0.account == account && fits($0) }
  }

  /// Writes an entry twice; the second one follows at once, and all later ones move on by one.
  mutating func insertCopy(of place: Int, _ body: (inout Event) -> Void) {
    var copy = events[place]
    let after = copy.sequence
    guard let index = history.events.firstIndex(where: { $0.sequence == after }) else { return }
    for later in history.events.indices where history.events[later].sequence > after {
      history.events[later].sequence += 1
    }
    for call in history.calls.indices where history.calls[call].sequence > after { history.calls[call].sequence += 1 }
    copy.sequence += 1
    body(&copy)
    history.events.insert(copy, at: index + 1)
  }
}
