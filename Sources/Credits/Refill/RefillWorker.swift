internal import Logging
public import ServiceLifecycle

/// Charges cards: sends what auto-refill and purchases have due, and asks for what is not settled.
///
/// Run one for a store, beside the service that debits it. All it knows is in the store: kill it at any moment, and the
/// next one goes on where it was, under the same keys. Pauses between attempts survive restarts, too.
///
/// ```swift
/// let worker = RefillWorker(store: store, gateway: gateway)
/// let group = ServiceGroup(services: [worker], gracefulShutdownSignals: [.sigterm], logger: logger)
/// try await group.run()
/// ```
public struct RefillWorker: Service {
  private let engine: Engine
  private let cashier: Cashier
  private let concurrency: Int
  private let interval: Duration

  /// Makes a worker.
  ///
  /// - Parameters:
  ///   - store: The store.
  ///   - gateway: Where cards are charged.
  ///   - concurrency: The most charges that are on their way at once; at least 1.
  ///   - timeout: How long to wait for an answer of the payment provider; then the charge is asked for again later.
  ///   - interval: How often to look for charges to ask for again; new ones are sent at once.
  public init(
    store: CreditStore, gateway: any PaymentGateway, concurrency: Int = 16, timeout: Duration = .seconds(30),
    interval: Duration = .seconds(1)
  ) {
    engine = store.engine
    cashier = Cashier(engine: store.engine, gateway: gateway, timeout: timeout)
    self.concurrency = max(1, concurrency)
    self.interval = interval
  }

  /// Works until the task is cancelled, a graceful shutdown begins, or the store is closed; what is on its way is
  /// finished first.
  ///
  /// A charge that hangs holds up no other while there is room for one more on its way.
  ///
  /// - Throws: The failure that stopped the store.
  public func run() async throws {
    let (wakeups, bell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let changes = engine.ledger.openCharges.signal.changes()
    try await withTaskCancellationOrGracefulShutdownHandler {
      try await withThrowingDiscardingTaskGroup { group in
        group.addTask {
          for await _ in changes { bell.yield() }
          bell.finish()
        }
        group.addTask { [interval] in
          while !Task.isCancelled {
            try? await Task.sleep(for: interval)
            bell.yield()
          }
        }
        bell.yield()
        let round = Round(concurrency)
        for await _ in wakeups {
          while let key = try next(of: round) {
            group.addTask { [cashier] in
              defer {
                round.end()
                bell.yield()
              }
              do throws(StoreError) { try await cashier.advance(key) } catch { try pass(error) }
            }
          }
        }
        group.cancelAll()
      }
    } onCancelOrGracefulShutdown: {
      bell.finish()
    }
  }

  /// Takes every charge that is ready one step further, and answers how many there were.
  ///
  /// What `run` does again and again; for tests, tools, and services with a scheduler of their own.
  @discardableResult
  public func work() async throws(StoreError) -> Int {
    let ready = try engine.readyCharges(at: try engine.keeper.now())
    let failure = await withTaskGroup(of: StoreError?.self) { group in
      var failure: StoreError?
      var waiting = ready[...]
      func start() {
        // After a cancellation or a failure no new charge is begun.
        guard failure == nil, !Task.isCancelled, let key = waiting.popFirst() else { return }
        group.addTask { [cashier] in
          do throws(StoreError) { try await cashier.advance(key) } catch { return error }
          return nil
        }
      }
      for _ in 0..<concurrency { start() }
      while let result = await group.next() {
        failure = failure ?? result
        start()
      }
      return failure
    }
    if let failure { throw failure }
    return ready.count
  }

  /// Takes one charge one step further, and leaves all others alone: for tools.
  package func work(onCharge number: UInt32, of account: AccountID) async throws(StoreError) {
    try await cashier.advance(ChargeKey(account: account, number: number))
  }

  /// The charges that are ready to be taken a step further: for runs that compare after each step.
  package func readyCharges() throws(StoreError) -> [(account: AccountID, number: UInt32)] {
    try engine.readyCharges(at: try engine.keeper.now()).map { ($0.account, $0.number) }
  }

  /// The next charge to begin; nil if there is none, or no room for one more.
  private func next(of round: Round) throws(StoreError) -> ChargeKey? {
    do throws(StoreError) {
      return try round.begin { () throws(StoreError) in try engine.readyCharges(at: try engine.keeper.now()) }
    } catch { try pass(error) }
    return nil
  }

  /// Throws a failure, unless the work ends by itself, as the store is closed, or waits for people to look at a clock
  /// that jumped.
  private func pass(_ error: StoreError) throws(StoreError) {
    switch error {
    case .closed: break
    case .clockJumped: engine.logger.error("charges wait", metadata: ["reason": "\("\(error)".escapedForTerminal)"])
    default: throw error
    }
  }
}

/// The charges that were found ready at one look, and how many are on their way.
private final class Round: Sendable {
  private struct State {
    var room: Int
    var waiting: ArraySlice<ChargeKey> = []
  }

  private let state: Locked<State>

  init(_ concurrency: Int) { state = Locked(State(room: concurrency)) }

  /// Takes the next charge, and room for it; looks for more once all that were found have begun.
  func begin(_ look: () throws(StoreError) -> [ChargeKey]) throws(StoreError) -> ChargeKey? {
    guard state.withLock({ $0.room > 0 }) else { return nil }
    if state.withLock({ $0.waiting.isEmpty }) {
      let found = try look()
      state.withLock { $0.waiting = found[...] }
    }
    return state.withLock { state in
      guard let key = state.waiting.popFirst() else { return nil }
      state.room -= 1
      return key
    }
  }

  /// Gives the room of a charge back.
  func end() { state.withLock { $0.room += 1 } }
}
