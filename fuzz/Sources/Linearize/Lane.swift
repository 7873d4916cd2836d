internal import Credits
internal import CreditsTesting
internal import Glibc
internal import Synchronization

/// The latest step of each caller, for the others to repeat.
final class Board: Sendable {
  private final class Cell: Sendable {
    let number = Atomic<UInt64>(0)
  }

  private let cells: [Cell]

  init(_ lanes: Int) { cells = (0..<lanes).map { _ in Cell() } }

  /// The number of the step that a caller is at, or was last.
  subscript(lane: Int) -> UInt64 { cells[lane].number.load(ordering: .relaxed) }

  /// Tells the others what a caller is about to do.
  func announce(_ lane: Int, _ number: UInt64) { cells[lane].number.store(number, ordering: .relaxed) }
}

/// One caller: does its steps one after the other, and notes each call. It shares nothing with the others but the store
/// and the board, and takes no lock.
struct Lane: Sendable {
  let index: Int
  let plan: Plan
  let board: Board
  let clock: StoreClock.Manual?
  private(set) var calls: [Call] = []
  private var dice: SplitMix64

  init(_ index: Int, _ plan: Plan, _ board: Board, _ clock: StoreClock.Manual?) {
    (self.index, self.plan, self.board, self.clock) = (index, plan, board, clock)
    dice = SplitMix64(seed: plan.bits(UInt64(index), 7))
  }

  /// Nanoseconds of a clock that only rises, the same for all threads.
  static var moment: UInt64 {
    var value = timespec()
    // Safe: the value is local and outlives the call.
    unsafe clock_gettime(CLOCK_MONOTONIC, &value)
    return UInt64(value.tv_sec) * 1_000_000_000 + UInt64(value.tv_nsec)
  }

  private var time: Int64 { clock?.now.microseconds ?? Lane.wallTime }

  /// Microseconds of the system's clock.
  static var wallTime: Int64 {
    var value = timespec()
    // Safe: as above.
    unsafe clock_gettime(CLOCK_REALTIME, &value)
    return Int64(value.tv_sec) * 1_000_000 + Int64(value.tv_nsec) / 1_000
  }

  /// The calls so far, which are then forgotten.
  mutating func takeCalls() -> [Call] {
    defer { calls = [] }
    return calls
  }

  /// Does some steps.
  mutating func run(_ steps: Range<UInt64>, on store: CreditStore) async throws(StoreError) {
    calls.reserveCapacity(steps.count * 5 / 4)
    for count in steps {
      let number = Plan.number(index, count)
      // The first caller moves the clock. A request must not carry a time that has not come yet: the window might
      // forget it before.
      if index == 0 { clock?.now = Timestamp(microseconds: plan.start + Int64(count) * Plan.tick) }
      while plan.profile.isForgetful, index > 0, time < plan.start + Int64(count) * Plan.tick { await Task.yield() }
      board.announce(index, number)
      try await perform(number, on: store)
      if index == 0, clock != nil, count % 64 == 0 { try await store.tick() }
    }
  }

  private mutating func perform(_ number: UInt64, on store: CreditStore) async throws(StoreError) {
    let step = plan.step(number)
    switch step.verb {
    case .batch: try await batch(number, on: store)
    case .end: try await end(on: store)
    case .repeatLatest: try await request(repeatable(board[lane()]), on: store)
    case .repeatEarlier: try await request(repeatable(earlier(lane())), on: store)
    case .conflict:
      // Of this caller's own steps, it is certain that they were carried out.
      let other = earlier(index)
      guard other != number, plan.step(other).verb == .debit else { return }
      try await request(other, on: store, changing: 1)
    case .balance: try balance(step.account, on: store)
    case .gate: gate(step.account, step.amount, on: store)
    default: try await request(number, on: store)
    }
  }

  // MARK: Which step

  private mutating func lane() -> Int { Int(dice.next() % UInt64(plan.profile.lanes)) }

  /// A step that a caller has begun: one of the latest, where the store forgets.
  private mutating func earlier(_ lane: Int) -> UInt64 {
    let latest = board[lane] >> 8 & 0xFFFF_FFFF
    guard latest > 0 else { return 0 }
    let range = plan.profile.isForgetful && dice.next() % 8 > 0 ? min(latest, 40) : latest
    return Plan.number(lane, latest - dice.next() % range)
  }

  /// A step with a request, at or near another one; 0 if there is none.
  private func repeatable(_ number: UInt64) -> UInt64 {
    guard number & 0xFFFF_FFFF_FF != 0 else { return 0 }
    switch plan.step(number).verb {
    case .debit, .debitUpTo, .usage, .hold, .grant, .expiring: return number
    case .batch: return number | 1
    default: return 0
    }
  }

  // MARK: Calls

  private mutating func request(
    _ number: UInt64, on store: CreditStore, changing change: Int64 = 0
  ) async throws(StoreError) {
    guard number != 0 else { return }
    let step = plan.step(number)
    let (account, request) = (Plan.id(step.account), plan.request(number))
    let amount = Amount(millionths: step.amount + change)
    let wait: Acknowledgement = dice.next() % 4 == 0 ? .durable : .applied
    var call = Call(.request, lane: index, account: step.account, number: number)
    call.asked = step.amount + change
    call.clockBefore = time
    call.began = Lane.moment
    do throws(StoreError) {
      switch step.verb {
      case .debit, .debitUpTo:
        let extent = step.verb == .debit ? Debit.Extent.whole : .upTo
        let outcome = try await store.debit(
          amount, from: account, request: request, extent: extent, acknowledge: wait)
        call.returned = Lane.moment
        call.note(outcome)
      case .usage:
        let usage = Usage("chat", units: step.units)
        let outcome = try await store.debit(for: usage, from: account, request: request, acknowledge: wait)
        call.returned = Lane.moment
        call.note(outcome)
      case .hold:
        let duration = Duration.microseconds(step.duration)
        let hold = try await store.hold(
          amount, on: account, for: duration, atDeadline: step.end, request: request, acknowledge: wait)
        call.returned = Lane.moment
        (call.answer, call.amount) = (.done, hold.amount.millionths)
        call.time = hold.deadline.microseconds - step.duration
      default:
        let receipt = try await store.grant(
          amount, to: account, source: step.verb == .grant ? .purchase("order") : .promotion("campaign"),
          expires: step.expires == .max ? nil : Timestamp(microseconds: step.expires), request: request,
          acknowledge: wait)
        call.returned = Lane.moment
        call.note(receipt)
      }
    } catch {
      try Lane.note(error, in: &call)
    }
    call.clockAfter = time
    calls.append(call)
  }

  /// Notes that a call has ended in a denial; any other error is thrown on.
  private static func note(_ error: StoreError, in call: inout Call) throws(StoreError) {
    call.returned = moment
    guard case .denied(let denial) = error else { throw error }
    call.note(denial)
  }

  private mutating func batch(_ number: UInt64, on store: CreditStore) async throws(StoreError) {
    let size = 2 + plan.step(number).dice % 5
    var noted: [Call] = []
    var debits: [Debit] = []
    for item in 1...size {
      let step = plan.step(number | item)
      noted.append(Call(.request, lane: index, account: step.account, number: number | item))
      debits.append(
        Debit(
          Amount(millionths: step.amount), from: Plan.id(step.account), request: plan.request(number | item)))
    }
    let (before, began) = (time, Lane.moment)
    let outcomes = try await store.debit(debits, acknowledge: dice.next() % 4 == 0 ? .durable : .applied)
    let (returned, after) = (Lane.moment, time)
    for place in noted.indices {
      noted[place].asked = debits[place].amount.millionths
      (noted[place].clockBefore, noted[place].began) = (before, began)
      (noted[place].clockAfter, noted[place].returned) = (after, returned)
      noted[place].note(outcomes[place])
    }
    calls += noted
  }

  /// Captures or releases a hold of any caller.
  private mutating func end(on store: CreditStore) async throws(StoreError) {
    var number = earlier(lane())
    var tries = 0
    while number & 0xFFFF_FFFF_00 != 0, plan.step(number).verb != .hold {
      number -= 0x100
      tries += 1
      if tries == 60 { return }
    }
    guard number & 0xFFFF_FFFF_00 != 0 else { return }
    let step = plan.step(number)
    let choice = dice.next()
    var call = Call(.end, lane: index, account: step.account, number: number)
    call.isRelease = choice % 100 < 20
    switch choice % 100 {
    case ..<60: call.asked = -1
    case ..<85: call.asked = step.amount * Int64(choice >> 8 % 100) / 100
    default: call.asked = step.amount + 1 + Int64(choice >> 8 % 3_000_000)
    }
    let (account, request) = (Plan.id(step.account), plan.request(number))
    let wait: Acknowledgement = choice >> 40 % 4 == 0 ? .durable : .applied
    let amount = call.asked < 0 ? nil : Amount(millionths: call.asked)
    call.clockBefore = time
    call.began = Lane.moment
    var excess: Outcome?
    do throws(StoreError) {
      let outcome =
        call.isRelease
        ? try await store.release(request, on: account, acknowledge: wait)
        : try await store.capture(request, on: account, amount: amount, acknowledge: wait)
      call.returned = Lane.moment
      call.note(outcome.receipt)
      call.isByDeadline = outcome.cause == .deadline
      excess = outcome.excess
    } catch {
      try Lane.note(error, in: &call)
    }
    call.clockAfter = time
    calls.append(call)
    guard let excess else { return }
    call.verb = .excess
    call.note(excess)
    calls.append(call)
  }

  /// Looks at a balance.
  mutating func balance(_ account: Int, on store: CreditStore) throws(StoreError) {
    var call = Call(.balance, lane: index, account: account, number: 0)
    call.clockBefore = time
    call.began = Lane.moment
    let balance = try store.balance(of: Plan.id(account))
    call.returned = Lane.moment
    call.clockAfter = time
    if let balance {
      call.answer = .done
      (call.available, call.held) = (balance.available.millionths, balance.held.millionths)
      call.sequence = balance.version.value
    }
    calls.append(call)
  }

  private mutating func gate(_ account: Int, _ amount: Int64, on store: CreditStore) {
    var call = Call(.gate, lane: index, account: account, number: 0)
    call.asked = amount
    call.clockBefore = time
    call.began = Lane.moment
    let isOpen = store.canAfford(Amount(millionths: amount), Plan.id(account))
    call.returned = Lane.moment
    call.clockAfter = time
    call.answer = isOpen ? .yes : .no
    calls.append(call)
  }

  /// Opens all accounts and gives each something, before the others begin.
  mutating func prepare(_ store: CreditStore) async throws(StoreError) {
    for account in 0..<plan.profile.accounts {
      try await store.open(Plan.id(account), acknowledge: .applied)
      guard plan.profile.refills(account) else { continue }
      let card = PaymentMethod(token: "tok", brand: "visa", lastFour: "4242", expiryYear: 2099, expiryMonth: 1)
      let method = try await store.savePaymentMethod(card, for: Plan.id(account), request: "card")
      try await store.setAutoRefill(
        .on(
          below: Amount(millionths: Plan.threshold), buy: .pack(Amount(millionths: Plan.pack)),
          atMost: Money(1_000_000_000_00, .usd), per: .month, with: method), for: Plan.id(account), request: "refill")
    }
    for account in 0..<plan.profile.accounts {
      try await request(Plan.number(index, UInt64(account) + 1), on: store)
    }
  }
}
