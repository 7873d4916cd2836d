internal import Credits

/// The payment provider of an oracle run: does one act at a time, and tells what it was asked and what it answered.
final class OracleGateway: PaymentGateway {
  /// A call, and what the caller got to know.
  struct Made: Hashable, Sendable {
    let call: ReferenceLedger.Call
    let outcome: ChargeOutcome
  }

  /// A notice that was sent.
  struct Notice: Hashable, Sendable {
    let key: String
    let outcome: ChargeOutcome
  }

  private final class State: Sendable {
    struct Content {
      var act = ScriptedGateway.Act.succeed
      var made: [Made] = []
      var notices: [Notice] = []
      var keys: [String] = []
      var charges: [String: (account: AccountID, number: UInt32)] = [:]
      var interruption: (@Sendable () async throws -> Void)?
    }
    let content = Locked(Content())
  }

  private let state: State
  /// The provider behind it.
  let script: ScriptedGateway

  init() {
    let state = State()
    self.state = state
    script = ScriptedGateway(
      notify: { key, outcome in
        state.content.withLock { $0.notices.append(Notice(key: key, outcome: outcome)) }
      },
      script: { _, _ in state.content.withLock { $0.act } })
  }

  /// How long the provider remembers keys: a day.
  var keyMemory: Duration { .seconds(86_400) }

  /// Makes ready for a charge to be taken a step further; the interruption happens while a call is on its way.
  func prepare(_ act: ScriptedGateway.Act, interruption: (@Sendable () async throws -> Void)? = nil) {
    state.content.withLock { ($0.act, $0.made, $0.interruption) = (act, [], interruption) }
  }

  /// The calls since then.
  var made: [Made] { state.content.withLock { $0.made } }

  /// The notices that are on their way.
  var notices: [Notice] {
    get { state.content.withLock { $0.notices } }
    set { state.content.withLock { $0.notices = newValue } }
  }

  /// The keys that came in, oldest first.
  var keys: [String] { state.content.withLock { $0.keys } }

  /// The charge that a key is of.
  func charge(_ key: String) -> (account: AccountID, number: UInt32)? {
    state.content.withLock { $0.charges[key] }
  }

  func charge(_ order: ChargeOrder) async throws -> ChargeOutcome {
    state.content.withLock {
      if $0.charges[order.key] == nil { $0.keys.append(order.key) }
      $0.charges[order.key] = (order.account, order.charge.number)
    }
    let call = ReferenceLedger.Call.charge(order.price, token: order.method.token)
    return try await answer(call) { try await script.charge(order) }
  }

  func lookUp(_ order: ChargeOrder) async throws -> ChargeOutcome {
    try await answer(.lookUp) { try await script.lookUp(order) }
  }

  private func answer(
    _ call: ReferenceLedger.Call, _ body: () async throws -> ChargeOutcome
  ) async throws -> ChargeOutcome {
    var result: Result<ChargeOutcome, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    if let interruption = state.content.withLock({ $0.interruption }) { try await interruption() }
    let outcome: ChargeOutcome
    switch result {
    case .success(let answer): outcome = answer
    case .failure(let error): outcome = .unknown(reason: "\(error)")
    }
    state.content.withLock { $0.made.append(Made(call: call, outcome: outcome)) }
    return try result.get()
  }
}
