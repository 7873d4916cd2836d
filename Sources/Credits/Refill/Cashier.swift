internal import Synchronization

/// Takes one charge a step further: sends it, asks for it, and books what the payment provider says.
///
/// Every step is durable before the next one begins: that a charge is about to be sent, before it is; what came of it,
/// before it is forgotten. Whoever dies in between leaves a charge that the next one takes up under the same key.
struct Cashier: Sendable {
  let engine: Engine
  let gateway: any PaymentGateway
  /// How long to wait for the payment provider.
  let timeout: Duration

  /// A call to the payment provider that is to be made.
  struct Call {
    let key: ChargeKey
    let order: ChargeOrder
    /// Whether the order is sent, maybe once more; else it is looked up.
    let sends: Bool
  }

  /// Takes a charge one step further, unless somebody else is about to.
  func advance(_ key: ChargeKey) async throws(StoreError) {
    guard let call = try await begin(key) else { return }
    try await finish(call, await ask(call.order, sends: call.sends))
  }

  /// Claims a charge and makes it ready to be sent or asked for; nil if there is nothing to be done.
  func begin(_ key: ChargeKey) async throws(StoreError) -> Call? {
    guard engine.claims.withLock({ $0.insert(key).inserted }) else { return nil }
    var call: Call?
    defer { if call == nil { release(key) } }
    // It may have been taken further since it was found ready.
    guard let charge = try charge(key), charge.retry <= (try engine.keeper.now()) else { return nil }
    let isPaused = engine.isPaused.load(ordering: .acquiring)
    if charge.status == .due {
      guard !isPaused else { return nil }
      try await engine.act(.charge(key.number), on: key.account)
      guard let sent = try self.charge(key), sent.status == .charging else { return nil }
      call = Call(key: key, order: order(key, sent), sends: true)
    } else {
      let isFresh = try engine.keeper.now() < charge.sent + memory
      let isUncertain = charge.status == .charging || charge.status == .unknown
      call = Call(key: key, order: order(key, charge), sends: isFresh && isUncertain && !isPaused)
    }
    return call
  }

  /// Books what came of a call, and gives the charge free.
  func finish(_ call: Call, _ outcome: ChargeOutcome) async throws(StoreError) {
    defer { release(call.key) }
    try await engine.act(.settle(call.key.number, call.certain(outcome)), on: call.key.account)
  }

  private func release(_ key: ChargeKey) { _ = engine.claims.withLock { $0.remove(key) } }

  /// A charge that has not ended.
  private func charge(_ key: ChargeKey) throws(StoreError) -> Charge? {
    try engine.state(of: key.account)?.extras.charges.first { $0.number == key.number }
  }

  private func order(_ key: ChargeKey, _ charge: Charge) -> ChargeOrder {
    let name = ChargeName(key, opened: charge.opened)
    return ChargeOrder(key: name.text(in: engine.identity.store), account: key.account, charge: charge)
  }

  /// How long after the first sending it is safe to send again: the provider's memory, less the time that a request may
  /// be on its way and clocks may differ.
  private var memory: Duration {
    max(.zero, gateway.keyMemory - max(gateway.keyMemory / 10, timeout))
  }

  /// Calls the payment provider, for a limited time; that nothing was thrown or came in time says nothing certain.
  private func ask(_ order: ChargeOrder, sends: Bool) async -> ChargeOutcome {
    // Tasks of their own, which nobody waits for: a call that hangs must not hold up the worker, and one that is on its
    // way is not cancelled with it.
    let first = First<ChargeOutcome>()
    var timer: Task<Void, Never>?
    let outcome = await withCheckedContinuation { continuation in
      first.set(continuation)
      let call = Task {
        do {
          first.resume(returning: sends ? try await gateway.charge(order) : try await gateway.lookUp(order))
        } catch { first.resume(returning: .unknown(reason: "\(error)")) }
      }
      timer = Task {
        try? await Task.sleep(for: timeout)
        if first.resume(returning: .unknown(reason: "no answer within \(timeout)")) { call.cancel() }
      }
    }
    timer?.cancel()
    return outcome
  }
}

extension Cashier.Call {
  /// What an answer says for certain: while its key is remembered, a charge may still arrive, and only a look-up can
  /// say that it never did.
  func certain(_ outcome: ChargeOutcome) -> ChargeOutcome {
    outcome == .neverCharged && sends ? .unknown(reason: "the provider does not know the key") : outcome
  }
}

/// Resumes a continuation with the first of several results.
private final class First<Value: Sendable>: Sendable {
  private let continuation: Locked<CheckedContinuation<Value, Never>?> = Locked(nil)

  func set(_ continuation: CheckedContinuation<Value, Never>) { self.continuation.withLock { $0 = continuation } }

  /// Resumes; false if it was resumed before.
  @discardableResult
  func resume(returning value: Value) -> Bool {
    let first = continuation.withLock { continuation in
      defer { continuation = nil }
      return continuation
    }
    first?.resume(returning: value)
    return first != nil
  }
}

extension Engine {
  /// The charges that are ready to be taken a step further at a time and that nobody is at: those that are due, and
  /// those to be asked for.
  func readyCharges(at now: Timestamp) throws(StoreError) -> [ChargeKey] {
    try checkOpen()
    var ready: [ChargeKey] = []
    let isPaused = isPaused.load(ordering: .acquiring)
    let claims = claims.withLock { $0 }
    for account in ledger.openCharges.accounts {
      guard let state = try state(of: account) else { continue }
      for charge in state.extras.charges where charge.retry <= now && !(isPaused && charge.status == .due) {
        let key = ChargeKey(account: account, number: charge.number)
        if !claims.contains(key) { ready.append(key) }
      }
    }
    return ready
  }
}
