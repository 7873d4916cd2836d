public import Credits

/// A payment provider that does what a script says, and remembers every card it charged.
///
/// Works as good providers do: one idempotency key charges a card at most once, however often it comes, as long as the
/// key is remembered; what became of a key can be looked up for ever. The script decides what happens on each call:
/// the card may be charged and the answer lost, the answer may come late, the network may fail before or after. Nobody
/// is charged outside of it, so that tests can assert that no card was ever charged twice, or for nothing.
public final class ScriptedGateway: PaymentGateway {
  /// What happens on one call.
  public enum Act: Hashable, Sendable {
    /// The card is charged, and the answer says so.
    case succeed
    /// The card is charged, and the answer is lost: the caller gets an error.
    case chargeAndFail
    /// The card is charged, and the answer takes so long to come.
    case chargeAndDelay(Duration)
    /// The call never reaches the provider: the caller gets an error.
    case fail
    /// Nothing happens for so long, then the call fails.
    case hang(Duration)
    /// The card is declined, for good: the key keeps that answer.
    case decline(String)
    /// The customer's bank wants something first; `settle(_:)` and `refuse(_:)` say how that ends.
    case needAction(String)
    /// The provider works on it; `settle(_:)` and `refuse(_:)` say how that ends.
    case process
    /// Another sum than the order's is charged.
    case chargeOther(Money)
    /// The answer says nothing certain, and nothing is charged.
    case mumble
  }

  /// A point on the way of a call to charge, at which a test may end the process.
  public enum Point: Hashable, Sendable {
    /// The call is about to reach the provider.
    case called
    /// A card was just charged, and nobody has been told.
    case charged
    /// The answer is on its way; what is done at this point runs beside the one who gets it.
    case answered
  }

  /// One card that was charged.
  public struct Taken: Hashable, Sendable {
    /// The key.
    public let key: String
    /// The account for which it was charged.
    public let account: AccountID
    /// The sum.
    public let money: Money
    /// The token that was charged.
    public let token: String
  }

  /// The error of a call that failed.
  public struct Failure: Error, Hashable, CustomStringConvertible {
    /// What happened.
    public let description: String
  }

  fileprivate struct State {
    var memory: GatewayMemory
    var outbox: Outbox
    var orders: [String: ChargeOrder] = [:]
    var calls = 0
    var lookUps = 0
    var active = 0
    var mostActive = 0
  }

  private let state: Locked<State>
  private let clock: StoreClock.Manual?
  private let notify: @Sendable (String, ChargeOutcome) async -> Void
  private let reach: @Sendable (Point, ChargeOrder) async -> Void
  private let script: @Sendable (ChargeOrder, Int) -> Act

  /// How long the provider remembers keys.
  public let keyMemory: Duration

  /// Makes a provider.
  ///
  /// - Parameters:
  ///   - keyMemory: How long it says that it remembers keys.
  ///   - clock: The clock by which it forgets keys after that time; nil for a provider that does not forget by itself.
  ///   - path: A file that keeps what it did, so that it outlives the process; nil to keep it in memory only. Traps if
  ///     the file cannot be opened or written.
  ///   - notices: How its notices come.
  ///   - notify: Gets the key and outcome of every notice: one or more for each charge that is made, and each that is
  ///     settled or refused.
  ///   - reach: Called at the points of every call to charge.
  ///   - script: What happens on a call: by the order, and how many calls there were before.
  public init(
    keyMemory: Duration = .seconds(86_400), clock: StoreClock.Manual? = nil, memory path: String? = nil,
    notices: NoticeScript = .prompt, notify: @escaping @Sendable (String, ChargeOutcome) async -> Void = { _, _ in },
    reach: @escaping @Sendable (Point, ChargeOrder) async -> Void = { _, _ in },
    script: @escaping @Sendable (ChargeOrder, Int) -> Act = { _, _ in .succeed }
  ) {
    self.keyMemory = keyMemory
    self.clock = clock
    self.notify = notify
    self.reach = reach
    self.script = script
    state = Locked(State(memory: GatewayMemory(path), outbox: Outbox(notices)))
  }

  /// Makes a provider whose calls go by a list, and succeed after its end.
  public convenience init(_ acts: [Act], keyMemory: Duration = .seconds(86_400)) {
    self.init(keyMemory: keyMemory, script: { (_, call) in call < acts.count ? acts[call] : .succeed })
  }

  // MARK: What happened

  /// Every card that was charged, in order.
  public var taken: [Taken] { state.withLock { $0.memory.taken } }

  /// All money that was taken, in minor units.
  public var total: Int64 { taken.reduce(0) { $0 + $1.money.minor } }

  /// The keys that were charged more than once: there must be none.
  public var chargedTwice: [String] {
    Dictionary(grouping: taken, by: \.key).filter { $0.value.count > 1 }.keys.sorted()
  }

  /// The keys that still wait for `settle(_:)` or `refuse(_:)`, sorted.
  public var pending: [String] { state.withLock { $0.memory.pending.sorted() } }

  /// The number of calls that came again with a key that was remembered, and got its answer.
  public var repeats: Int { state.withLock { $0.memory.repeats } }

  /// The number of calls to charge since the provider was made.
  public var calls: Int { state.withLock { $0.calls } }

  /// The number of look-ups since the provider was made.
  public var lookUps: Int { state.withLock { $0.lookUps } }

  /// The most calls that were on their way at once.
  public var mostActive: Int { state.withLock { $0.mostActive } }

  /// The orders that came in since the provider was made, by key.
  public var orders: [String: ChargeOrder] { state.withLock { $0.orders } }

  // MARK: What happens behind the store's back

  /// The customer does what the bank wants, or the provider comes to an end: the card is charged.
  ///
  /// Does nothing to a key that is charged or declined already, as `refuse(_:reason:)`. The notice waits for
  /// ``deliverNotices()``, or the next call.
  public func settle(_ key: String) {
    state.withLock { state in
      guard !state.memory.isFinal(key), let wanted = state.memory.wanted[key],
        let outcome = state.memory.charge(key, wanted.money)
      else { return }
      state.outbox.post(key, outcome, after: state.calls)
    }
  }

  /// The customer does not do what the bank wants: the card is not charged.
  public func refuse(_ key: String, reason: String = "refused") {
    state.withLock { state in
      guard !state.memory.isFinal(key) else { return }
      let outcome = ChargeOutcome.declined(reason: reason)
      state.memory.keep(outcome, of: key)
      state.outbox.post(key, outcome, after: state.calls)
    }
  }

  /// The provider forgets its keys: the next charge under one of them would be a second one.
  public func forgetKeys() { state.withLock { $0.memory.forgetKeys() } }

  /// Sends all notices that are still to be sent, however late they are meant to be.
  public func deliverNotices() async { await deliver(upTo: .max) }

  private func deliver(upTo call: Int) async {
    for notice in state.withLock({ $0.outbox.take(upTo: call) }) { await notify(notice.key, notice.outcome) }
  }

  // MARK: As a gateway

  /// Charges a card, if the script says so and the key is new.
  public func charge(_ order: ChargeOrder) async throws -> ChargeOutcome {
    let call = state.withLock { state in
      state.orders[order.key] = order
      state.active += 1
      state.mostActive = max(state.mostActive, state.active)
      state.calls += 1
      return state.calls - 1
    }
    defer {
      state.withLock { $0.active -= 1 }
      Task { [reach] in await reach(.answered, order) }
    }
    await reach(.called, order)
    let act = script(order, call)
    let (outcome, isCharged) = state.withLock { $0.perform(act, order, at: clock?.now, memory: keyMemory) }
    if isCharged { await reach(.charged, order) }
    await deliver(upTo: call)
    // Whatever has become of the charge, the network does as the script says.
    switch act {
    case .fail: throw Failure(description: "connection refused")
    case .chargeAndFail: throw Failure(description: "connection lost after the charge")
    case .hang(let duration):
      try await Task.sleep(for: duration)
      throw Failure(description: "connection lost")
    case .chargeAndDelay(let duration): try await Task.sleep(for: duration)
    default: break
    }
    return outcome
  }

  /// Tells what became of a key, for ever.
  public func lookUp(_ order: ChargeOrder) async throws -> ChargeOutcome {
    state.withLock { state in
      state.lookUps += 1
      return state.memory.outcomes[order.key] ?? .neverCharged
    }
  }
}

extension ScriptedGateway.State {
  /// Does what the script says at the provider; answers the outcome, and whether a card was charged.
  fileprivate mutating func perform(
    _ act: ScriptedGateway.Act, _ order: ChargeOrder, at now: Timestamp?, memory duration: Duration
  ) -> (ChargeOutcome, isCharged: Bool) {
    let (outcome, isCharged) = memory.perform(act, order, at: now, memory: duration)
    if isCharged { outbox.post(order.key, outcome, after: calls) }
    return (outcome, isCharged)
  }
}

extension GatewayMemory {
  /// Does what a script says; answers the outcome, and whether a card was charged.
  mutating func perform(
    _ act: ScriptedGateway.Act, _ order: ChargeOrder, at now: Timestamp?, memory duration: Duration
  ) -> (ChargeOutcome, isCharged: Bool) {
    switch act {
    case .fail, .hang: return (.unknown(reason: "the call never came"), false)
    default: break
    }
    if let known = recall(order, at: now, for: duration) { return (known, false) }
    let outcome: ChargeOutcome
    switch act {
    case .succeed, .chargeAndFail, .chargeAndDelay: return take(order, order.price)
    case .chargeOther(let money): return take(order, money)
    case .decline(let reason): outcome = .declined(reason: reason)
    case .needAction(let link): outcome = .needsAction(link: link)
    case .process: outcome = .processing
    case .mumble, .fail, .hang: return (.unknown(reason: "no clear answer"), false)
    }
    keep(outcome, of: order.key)
    return (outcome, false)
  }

  private mutating func take(_ order: ChargeOrder, _ money: Money) -> (ChargeOutcome, isCharged: Bool) {
    guard let outcome = charge(order.key, money) else { preconditionFailure("the order was noted before") }
    return (outcome, true)
  }
}
