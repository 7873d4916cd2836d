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
  ///   - concurrency: The most charges that are on their way at once.
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
  public func run() async throws {
    let (wakeups, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let changes = engine.ledger.openCharges.signal.changes()
    try await withGracefulShutdownHandler {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          for await _ in changes { continuation.yield() }
          continuation.finish()
        }
        group.addTask { [interval] in
          while !Task.isCancelled {
            try await Task.sleep(for: interval)
            continuation.yield()
          }
        }
        continuation.yield()
        for await _ in wakeups {
          do throws(StoreError) { _ = try await work() } catch {
            if error == .closed { break }
            // A clock that jumped is for people to look at: nothing is charged meanwhile.
            guard case .clockJumped = error else { throw error }
            engine.logger.error("charges wait", metadata: ["reason": "\(error)"])
          }
        }
        group.cancelAll()
        while let result = await group.nextResult() { _ = result }
      }
    } onGracefulShutdown: {
      continuation.finish()
    }
  }

  /// Takes every charge that is ready one step further, and answers how many there were.
  ///
  /// What `run` does again and again; for tests, tools, and services with a scheduler of their own.
  @discardableResult
  public func work() async throws(StoreError) -> Int {
    let ready = try engine.readyCharges(at: try engine.keeper.now())
    let result = await withTaskGroup(of: Result<Void, StoreError>.self) { group in
      var failure: StoreError?
      var waiting = ready[...]
      func start() {
        // After a cancellation or a failure no new charge is begun.
        guard failure == nil, !Task.isCancelled, let key = waiting.popFirst() else { return }
        group.addTask { [cashier] in
          await Result { () async throws(StoreError) in try await cashier.advance(key) }
        }
      }
      for _ in 0..<concurrency { start() }
      while let result = await group.next() {
        if case .failure(let error) = result { failure = failure ?? error }
        start()
      }
      return failure
    }
    if let result { throw result }
    return ready.count
  }

  // For runs that compare after each step: the charges that are ready, and one of them taken a step further.

  package func readyCharges() throws(StoreError) -> [(account: AccountID, number: UInt32)] {
    try engine.readyCharges(at: try engine.keeper.now()).map { ($0.account, $0.number) }
  }

  package func advance(_ number: UInt32, of account: AccountID) async throws(StoreError) {
    try await cashier.advance(ChargeKey(account: account, number: number))
  }

  package func key(ofCharge number: UInt32, of account: AccountID) -> String {
    ChargeKey(account: account, number: number).text(in: engine.identity.store)
  }
}

extension Result where Success == Void, Failure == StoreError {
  /// The result of a function that waits.
  fileprivate init(_ body: () async throws(StoreError) -> Void) async {
    do throws(StoreError) {
      try await body()
      self = .success(())
    } catch { self = .failure(error) }
  }
}
