/// The balance of one account whenever it changes: an asynchronous sequence of durable balances, newest wins.
public struct BalanceUpdates: AsyncSequence, Sendable {
  let account: AccountID
  let engine: Engine

  /// Begins to follow the balance.
  public func makeAsyncIterator() -> Iterator { Iterator(account: account, engine: engine) }

  /// Follows the balance for one reader.
  public struct Iterator: AsyncIteratorProtocol {
    private let account: AccountID
    private let engine: Engine
    private var stream: AsyncStream<Balance>.Iterator?

    init(account: AccountID, engine: Engine) {
      self.account = account
      self.engine = engine
    }

    /// The next newer balance; waits for it. Nil once the store is closed, or if the account is unknown.
    public mutating func next() async -> Balance? { await next(isolation: #isolation) }

    /// The next newer balance; waits for it on the caller's actor.
    public mutating func next(isolation actor: isolated (any Actor)?) async -> Balance? {
      if stream == nil {
        guard let begun = await begin() else { return nil }
        stream = begun.makeAsyncIterator()
      }
      return await stream?.next(isolation: actor)
    }

    private func begin() async -> AsyncStream<Balance>? {
      let (stream, continuation) = AsyncStream<Balance>.makeStream(bufferingPolicy: .bufferingNewest(1))
      let (account, engine) = (account, engine)
      let number = engine.follow(account, continuation)
      continuation.onTermination = { _ in engine.unfollow(account, number) }
      // Followed first and read after: no change falls between the two.
      do throws(StoreError) {
        guard let balance = try engine.balance(of: account) else { return nil }
        try await engine.queue.waitUntilDurable(balance.version)
        engine.followers.tell(number, balance)
      } catch { return nil }
      return stream
    }
  }
}
