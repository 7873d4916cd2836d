public import Credits
internal import Synchronization

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

  private struct State {
    var outcomes: [String: ChargeOutcome] = [:]
    var forgotten: Set<String> = []
    var taken: [Taken] = []
    var orders: [String: ChargeOrder] = [:]
    var calls = 0
    var lookUps = 0
    var active = 0
    var mostActive = 0
  }

  private let state: Mutex<State>
  private let script: @Sendable (ChargeOrder, Int) -> Act
  private let notify: @Sendable (String, ChargeOutcome) -> Void

  /// How long the provider remembers keys.
  public let keyMemory: Duration

  /// Makes a provider.
  ///
  /// - Parameters:
  ///   - keyMemory: How long it says that it remembers keys.
  ///   - notify: Called with the key and outcome of every charge that is made, as a provider sends notices.
  ///   - script: What happens on a call: by the order, and how many calls there were before.
  public init(
    keyMemory: Duration = .seconds(86_400), notify: @escaping @Sendable (String, ChargeOutcome) -> Void = { _, _ in },
    script: @escaping @Sendable (ChargeOrder, Int) -> Act = { _, _ in .succeed }
  ) {
    self.keyMemory = keyMemory
    self.notify = notify
    self.script = script
    state = Mutex(State())
  }

  /// Makes a provider whose calls go by a list, and succeed after its end.
  public convenience init(_ acts: [Act], keyMemory: Duration = .seconds(86_400)) {
    self.init(keyMemory: keyMemory, script: { (_, call) in call < acts.count ? acts[call] : .succeed })
  }

  // MARK: What happened

  /// Every card that was charged, in order.
  public var taken: [Taken] { state.withLock { $0.taken } }

  /// All money that was taken, in minor units.
  public var total: Int64 { taken.reduce(0) { $0 + $1.money.minor } }

  /// The number of calls to charge.
  public var calls: Int { state.withLock { $0.calls } }

  /// The number of look-ups.
  public var lookUps: Int { state.withLock { $0.lookUps } }

  /// The most calls that were on their way at once.
  public var mostActive: Int { state.withLock { $0.mostActive } }

  /// The keys that were charged more than once: there must be none.
  public var chargedTwice: [String] {
    Dictionary(grouping: taken, by: \.key).filter { $0.value.count > 1 }.keys.sorted()
  }

  /// The orders that came in, by key.
  public var orders: [String: ChargeOrder] { state.withLock { $0.orders } }

  // MARK: What happens behind the store's back

  /// The customer does what the bank wants, or the provider comes to an end: the card is charged.
  public func settle(_ key: String) {
    guard let order = state.withLock({ $0.orders[key] }) else { return }
    notify(key, take(order, order.price))
  }

  /// The customer does not do what the bank wants: the card is not charged.
  public func refuse(_ key: String, reason: String = "refused") {
    let outcome = ChargeOutcome.declined(reason: reason)
    state.withLock { $0.outcomes[key] = outcome }
    notify(key, outcome)
  }

  /// The provider forgets its keys: the next charge under one of them would be a second one.
  public func forgetKeys() { state.withLock { $0.forgotten.formUnion($0.outcomes.keys) } }

  // MARK: As a gateway

  /// Charges a card, if the script says so and the key is new.
  public func charge(_ order: ChargeOrder) async throws -> ChargeOutcome {
    let (call, known) = state.withLock { state in
      state.orders[order.key] = order
      state.active += 1
      state.mostActive = max(state.mostActive, state.active)
      state.calls += 1
      let known = state.forgotten.contains(order.key) ? nil : state.outcomes[order.key]
      return (state.calls - 1, known)
    }
    defer { state.withLock { $0.active -= 1 } }
    let act = script(order, call)
    if let known {
      // The key is known: the answer is the first one, and only the network can still fail.
      switch act {
      case .fail, .chargeAndFail: throw Failure(description: "connection lost")
      case .hang(let duration):
        try await Task.sleep(for: duration)
        throw Failure(description: "connection lost")
      default: return known
      }
    }
    switch act {
    case .succeed: return take(order, order.price)
    case .chargeAndFail:
      notify(order.key, take(order, order.price))
      throw Failure(description: "connection lost after the charge")
    case .chargeAndDelay(let duration):
      let outcome = take(order, order.price)
      notify(order.key, outcome)
      try await Task.sleep(for: duration)
      return outcome
    case .fail: throw Failure(description: "connection refused")
    case .hang(let duration):
      try await Task.sleep(for: duration)
      throw Failure(description: "connection lost")
    case .decline(let reason): return keep(.declined(reason: reason), for: order)
    case .needAction(let link): return keep(.needsAction(link: link), for: order)
    case .process: return keep(.processing, for: order)
    case .chargeOther(let money): return take(order, money)
    case .mumble: return .unknown(reason: "no clear answer")
    }
  }

  /// Tells what became of a key, for ever.
  public func lookUp(_ order: ChargeOrder) async throws -> ChargeOutcome {
    state.withLock { state in
      state.lookUps += 1
      return state.outcomes[order.key] ?? .neverCharged
    }
  }

  private func keep(_ outcome: ChargeOutcome, for order: ChargeOrder) -> ChargeOutcome {
    state.withLock { $0.outcomes[order.key] = outcome }
    return outcome
  }

  private func take(_ order: ChargeOrder, _ money: Money) -> ChargeOutcome {
    state.withLock { state in
      // A second call under a key that is remembered, at the same time as the first, takes nothing either.
      if let known = state.outcomes[order.key], case .succeeded = known, !state.forgotten.contains(order.key) {
        return known
      }
      state.taken.append(Taken(key: order.key, account: order.account, money: money, token: order.method.token))
      let outcome = ChargeOutcome.succeeded(reference: "ch-\(state.taken.count)", price: money)
      state.outcomes[order.key] = outcome
      state.forgotten.remove(order.key)
      return outcome
    }
  }
}
