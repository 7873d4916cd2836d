/// What makes a run of the store repeatable: it has no threads, and whoever runs it commits step by step.
package struct Simulation: Sendable {
  /// The store's own 128 bits.
  package let store: RequestID
  /// The secret by which ids are spread.
  package let key: HashKey
  /// Called where the store would wait for its committer: commits.
  package let commit: @Sendable () -> Void

  /// Describes a simulation.
  package init(store: RequestID, key: HashKey, commit: @escaping @Sendable () -> Void) {
    self.store = store
    self.key = key
    self.commit = commit
  }
}

extension Engine {
  /// Runs a function that takes long on a thread of its own and suspends the caller meanwhile; in a simulation, on the
  /// caller's.
  func runApart<R: Sendable>(
    _ body: @escaping @Sendable () throws(StoreError) -> R
  ) async throws(StoreError) -> R {
    guard clockwork.simulation == nil else { return try body() }
    return try await Worker.run(body)
  }
}

extension CreditStore {
  /// The parts of a store that has no threads, to be moved by hand.
  package var simulated: SimulatedStore { SimulatedStore(engine: engine) }
}

/// A store in a simulation: what its threads would do, one step at a time.
package struct SimulatedStore {
  let engine: Engine

  // MARK: Committing

  /// A commit that has begun.
  package struct Commit {
    fileprivate let work: Committer.Work
    /// The last entry in it.
    package let last: SequenceNumber
  }

  /// Begins a commit: its frame is sealed and the next one fills. Nil if there is nothing to be done.
  ///
  /// - Parameter idles: Whether to bring images up to the journal where nothing else is to be done.
  package func begin(idles: Bool) throws(StoreError) -> Commit? {
    guard let work = try engine.committer.beginStep(idles: idles) else { return nil }
    return Commit(work: work, last: work.last)
  }

  /// Writes a commit to the disk, wholly or, where it throws, not at all.
  package func write(_ commit: Commit) throws(StoreError) { try engine.committer.write(commit.work) }

  /// Acknowledges a commit.
  package func finish(_ commit: Commit) { engine.committer.finish(commit.work) }

  /// Stops the store, as a commit has failed.
  package func fail(_ error: StoreError) { engine.committer.fail(error) }

  /// Ends all that waits; `abandon` follows.
  package func die() { engine.committer.fail(.stopped(reason: "the process died")) }

  /// Leaves the files as they are.
  package func abandon() { engine.abandon() }

  /// Closes the store in order.
  package func close() { engine.close() }

  /// Lets time do its work.
  package func tick() throws(StoreError) { try engine.clockwork.tick() }

  /// Replays the journal and compares.
  package func verify() throws(StoreError) -> Verification {
    try Verifier(database: engine.database, key: engine.key).run(progress: { _ in })
  }

  // MARK: State

  /// The last entry, durable or not.
  package var last: SequenceNumber { engine.queue.last }

  /// The last entry that is acknowledged as durable.
  package var durable: SequenceNumber { engine.queue.durable }

  /// The latest time.
  package var time: Timestamp { engine.keeper.last }

  /// The number of accounts in memory.
  package var residentCount: Int { engine.ledger.residentCount }

  /// The most accounts that may be in memory of those whose hashes begin alike, by the first six bits.
  package var stripeLimit: Int { engine.ledger.stripeLimit }

  /// Whether an account is in memory.
  package func isResident(_ account: AccountID) -> Bool {
    engine.ledger.balance(of: account, at: engine.keeper.last) != nil
  }

  /// The number of callers that wait for room, in a frame or in memory.
  package var waitingForRoom: Int { engine.queue.waitingForRoom }

  /// The last entry whose request is forgotten.
  package var forgotten: SequenceNumber { engine.ledger.window.forgotten }

  /// The error that stopped the store.
  package var failure: StoreError? {
    if case .failed(let error) = engine.queue.state { return error }
    return nil
  }

  /// Forgets the requests of all entries: what no store may do. For controls.
  package func forgetRequests() { engine.ledger.window.forget(upTo: engine.queue.last, before: .zero) }

  // MARK: Charges

  /// A call to the payment provider that is to be made.
  package struct Call {
    fileprivate let call: Cashier.Call
    /// What the payment provider is told.
    package var order: ChargeOrder { call.order }
    /// Whether the order is sent, maybe once more; else it is looked up.
    package var sends: Bool { call.sends }

    /// What an answer says for certain.
    package func certain(_ outcome: ChargeOutcome) -> ChargeOutcome { call.certain(outcome) }
  }

  /// The charges that are ready to be taken a step further and that nobody is at, by account and number.
  package func readyCharges() throws(StoreError) -> [(account: AccountID, number: UInt32)] {
    try engine.readyCharges(at: try engine.keeper.now()).map { ($0.account, $0.number) }.sorted {
      ($0.0.high, $0.0.low, $0.1) < ($1.0.high, $1.0.low, $1.1)
    }
  }

  /// Claims a charge and makes it ready to be sent or asked for; nil if there is nothing to be done.
  package func begin(charge number: UInt32, of account: AccountID, _ gateway: any PaymentGateway)
    async throws(StoreError) -> Call?
  {
    try await cashier(gateway).begin(ChargeKey(account: account, number: number)).map { Call(call: $0) }
  }

  /// Books what came of a call.
  package func finish(_ call: Call, _ outcome: ChargeOutcome, _ gateway: any PaymentGateway) async throws(StoreError) {
    try await cashier(gateway).finish(call.call, outcome)
  }

  private func cashier(_ gateway: any PaymentGateway) -> Cashier {
    Cashier(engine: engine, gateway: gateway, timeout: .seconds(30))
  }
}

extension ChargeOrder {
  /// The order under another key: what no store may send. For controls.
  package func renamed(_ key: String) -> ChargeOrder { ChargeOrder(key: key, account: account, charge: charge) }
}
