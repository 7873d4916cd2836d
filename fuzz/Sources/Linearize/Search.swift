internal import Credits

/// Looks for an order of the calls on one account that agrees with real time and the rules, by trying: without sequence
/// numbers, versions or the journal.
///
/// Source: J. M. Wing, C. Gong, "Testing and verifying concurrent objects", 1993, with the memory of states that
/// G. Lowe describes in "Testing for linearizability", 2017. What has been done so far is how far each caller has come,
/// and the state follows from it.
struct Search {
  /// What came of the search.
  enum Result: Equatable {
    case found
    /// There is none: at most so many calls could be put in order.
    case none(longest: Int)
    /// It took too long.
    case unknown
  }

  /// What an answered request was told.
  private struct Told: Equatable {
    var answer: Call.Answer
    var amount: Int64
    var available: Int64
  }

  /// How to undo a call.
  private struct Undo {
    var lane: Int
    var available: Int64
    var held: Int64
    var request: UInt64?
    var end: UInt64?
    var hold: (number: UInt64, amount: Int64?)?
  }

  private let plan: Plan
  private let lanes: [[Call]]
  /// How far each caller has come.
  private var places: [Int]
  private var available: Int64
  private var held: Int64 = 0
  private var told: [UInt64: Told] = [:]
  private var ended: [UInt64: (told: Told, isRelease: Bool)] = [:]
  private var holds: [UInt64: Int64] = [:]

  /// Prepares the search for some calls of one account, which begins with an amount.
  init(_ plan: Plan, _ calls: [Call], beginning amount: Int64) {
    self.plan = plan
    // What was captured beyond a hold belongs to the call that ended it.
    let groups = Dictionary(grouping: calls.filter { $0.verb != .excess }, by: \.lane)
    lanes = groups.keys.sorted().map { (groups[$0] ?? []).sorted { $0.began < $1.began } }
    places = Array(repeating: 0, count: lanes.count)
    available = amount
  }

  /// Searches, at most so many steps.
  mutating func run(limit: Int = 2_000_000) -> Result {
    precondition(lanes.count <= 8 && lanes.allSatisfy { $0.count < 1 << 16 })
    let total = lanes.reduce(0) { $0 + $1.count }
    var stack: [(undo: Undo?, next: Int)] = [(nil, 0)]
    var seen: Set<SIMD8<UInt16>> = []
    var (longest, steps) = (0, 0)
    while let top = stack.last {
      if stack.count - 1 == total { return .found }
      longest = max(longest, stack.count - 1)
      steps += 1
      if steps > limit { return .unknown }
      guard let lane = nextLane(from: top.next) else {
        stack.removeLast()
        if let undo = top.undo { take(back: undo) }
        continue
      }
      stack[stack.count - 1].next = lane + 1
      guard let undo = perform(lanes[lane][places[lane]], lane) else { continue }
      if seen.insert(state).inserted { stack.append((undo, 0)) } else { take(back: undo) }
    }
    return .none(longest: longest)
  }

  private var state: SIMD8<UInt16> {
    var state = SIMD8<UInt16>()
    for lane in places.indices { state[lane] = UInt16(places[lane]) }
    return state
  }

  /// The next caller whose call may come now: no call that is still to come had returned before it began.
  private func nextLane(from first: Int) -> Int? {
    var earliest = UInt64.max
    for lane in lanes.indices where places[lane] < lanes[lane].count {
      earliest = min(earliest, lanes[lane][places[lane]].returned)
    }
    return (first..<max(first, lanes.count)).first { lane in
      places[lane] < lanes[lane].count && lanes[lane][places[lane]].began <= earliest
    }
  }

  private mutating func take(back undo: Undo) {
    places[undo.lane] -= 1
    (available, held) = (undo.available, undo.held)
    if let request = undo.request { told[request] = nil }
    if let end = undo.end { ended[end] = nil }
    if let hold = undo.hold { holds[hold.number] = hold.amount }
  }

  /// Does a call, if it can come now with the answer that it got.
  private mutating func perform(_ call: Call, _ lane: Int) -> Undo? {
    var undo = Undo(lane: lane, available: available, held: held)
    guard attempt(call, &undo) else { return nil }
    places[lane] += 1
    return undo
  }

  private mutating func attempt(_ call: Call, _ undo: inout Undo) -> Bool {
    switch (call.verb, call.answer) {
    case (.balance, _): return (call.available, call.held) == (available, held)
    case (.gate, let answer): return (available >= call.asked) == (answer == .yes)
    case (.request, .conflict): return told[call.number] != nil
    case (.request, _): return request(call, &undo)
    case (.end, .noHold): return holds[call.number] == nil && ended[call.number] == nil
    case (.end, .done): return end(call, &undo)
    default: return false
    }
  }

  private mutating func request(_ call: Call, _ undo: inout Undo) -> Bool {
    let step = plan.step(call.number)
    let isHold = step.verb == .hold
    if let known = told[call.number] {
      // A hold that was made does not say whether it is a repetition.
      if isHold, call.answer == .done { return known.answer == .done && known.amount == call.amount }
      return call.isReplay && known == Told(answer: call.answer, amount: call.amount, available: call.available)
    }
    if call.isReplay { return false }
    var now = Told(answer: .done, amount: step.amount, available: 0)
    switch step.verb {
    case .grant: now.available = available + step.amount
    case .debitUpTo where available > 0:
      now.amount = min(step.amount, available)
      now.available = available - now.amount
    case _ where step.verb != .debitUpTo && step.amount <= available: now.available = available - step.amount
    default: now = Told(answer: .insufficient, amount: step.amount, available: available)
    }
    guard now.answer == call.answer, now.amount == call.amount,
      isHold && now.answer == .done || now.available == call.available
    else { return false }
    told[call.number] = now
    undo.request = call.number
    guard now.answer == .done else { return true }
    available = now.available
    if isHold {
      undo.hold = (call.number, nil)
      holds[call.number] = step.amount
      held += step.amount
    }
    return true
  }

  private mutating func end(_ call: Call, _ undo: inout Undo) -> Bool {
    if let known = ended[call.number] {
      return call.isReplay && known.told == Told(answer: .done, amount: call.amount, available: call.available)
    }
    guard !call.isReplay, let hold = holds[call.number] else { return false }
    let wanted = call.isRelease ? 0 : call.asked < 0 ? hold : call.asked
    let captured = min(wanted, hold)
    let after = available + hold - captured
    guard call.amount == captured, call.available == after else { return false }
    undo.hold = (call.number, hold)
    undo.end = call.number
    holds[call.number] = nil
    held -= hold
    available = after
    ended[call.number] = (Told(answer: .done, amount: captured, available: after), call.isRelease)
    if wanted > hold, wanted - hold <= available { available -= wanted - hold }
    return true
  }
}
