internal import Credits

/// The payment provider of a simulation: calls are on their way until the scheduler lets them come, and so are answers
/// and notices.
struct SimulatedProvider {
  /// A call on its way to the provider, or an answer on its way back.
  struct Call {
    let charge: ChargeID
    let call: SimulatedStore.Call
    /// The order as it comes to the provider.
    let order: ChargeOrder
    /// When it was made, by the store's time.
    let made: Timestamp
    /// The opening of the store that waits for it; none if nobody does any more.
    var opening: Int?
    var outcome: ChargeOutcome?
  }

  /// A notice on its way.
  struct Notice {
    let key: String
    let outcome: ChargeOutcome
  }

  /// How long keys are remembered.
  static let keyMemory = Duration.seconds(86_400)

  private(set) var memory = GatewayMemory(nil)
  var calls: [Call] = []
  var notices: [Notice] = []
  /// The keys that came, oldest first, and the charges they are of.
  private(set) var keys: [String] = []
  private(set) var charges: [String: ChargeID] = [:]
  /// The charges for which a card was charged.
  private(set) var charged: Set<ChargeID> = []
  /// The first charge that was charged twice.
  private(set) var twice: ChargeID?

  /// Lets the first call about a charge that is still on its way come.
  mutating func arrive(_ charge: ChargeID, _ act: ScriptedGateway.Act, at now: Timestamp) {
    guard let place = calls.firstIndex(where: { $0.charge == charge && $0.outcome == nil }) else { return }
    let call = calls[place]
    let outcome = call.call.sends ? send(call, act, at: now) : lookUp(call)
    if call.opening == nil { calls.remove(at: place) } else { calls[place].outcome = outcome }
  }

  private mutating func send(_ call: Call, _ act: ScriptedGateway.Act, at now: Timestamp) -> ChargeOutcome {
    // No network keeps a call for hours.
    if now > call.made + .seconds(7_200) { return .unknown(reason: "the call was lost") }
    if charges[call.order.key] == nil { keys.append(call.order.key) }
    charges[call.order.key] = call.charge
    let (outcome, isCharged) = memory.perform(act, call.order, at: now, memory: SimulatedProvider.keyMemory)
    if isCharged { take(call.charge, call.order.key, outcome) }
    switch act {
    case .fail, .hang: return .unknown(reason: "connection refused")
    case .chargeAndFail, .chargeAndDelay: return .unknown(reason: "connection lost after the charge")
    default: return outcome
    }
  }

  private mutating func take(_ charge: ChargeID, _ key: String, _ outcome: ChargeOutcome) {
    if !charged.insert(charge).inserted { twice = twice ?? charge }
    notices.append(Notice(key: key, outcome: outcome))
  }

  private func lookUp(_ call: Call) -> ChargeOutcome {
    if let known = memory.outcomes[call.order.key] { return known }
    // Sure that the key never came and never will is only who has no call on its way.
    let isOnItsWay = calls.contains { $0.call.sends && $0.outcome == nil && $0.order.key == call.order.key }
    return isOnItsWay ? .unknown(reason: "not sure yet") : .neverCharged
  }

  /// Loses the first call about a charge that is still on its way.
  mutating func lose(_ charge: ChargeID) {
    guard let place = calls.firstIndex(where: { $0.charge == charge && $0.outcome == nil }) else { return }
    if calls[place].opening == nil {
      calls.remove(at: place)
    } else {
      calls[place].outcome = .unknown(reason: "connection lost")
    }
  }

  /// Comes to an end with an order, counted from the latest.
  mutating func end(_ order: Int, charges isPaid: Bool) {
    guard keys.count > order else { return }
    let key = keys[keys.count - 1 - order]
    guard memory.pending.contains(key), let charge = charges[key], let wanted = memory.wanted[key] else { return }
    if isPaid {
      if let outcome = memory.charge(key, wanted.money) { take(charge, key, outcome) }
    } else {
      memory.keep(.declined(reason: "refused"), of: key)
      notices.append(Notice(key: key, outcome: .declined(reason: "refused")))
    }
  }

  /// The process that waited for answers is gone.
  mutating func forgetCallers() {
    calls.removeAll { $0.outcome != nil }
    for place in calls.indices { calls[place].opening = nil }
  }
}

/// The provider as a worker knows it; the simulation makes all calls itself.
struct SimulatedGateway: PaymentGateway {
  var keyMemory: Duration { SimulatedProvider.keyMemory }
  func charge(_ order: ChargeOrder) async throws -> ChargeOutcome { .unknown(reason: "nobody calls here") }
  func lookUp(_ order: ChargeOrder) async throws -> ChargeOutcome { .unknown(reason: "nobody calls here") }
}
