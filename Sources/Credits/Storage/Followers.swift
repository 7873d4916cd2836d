/// Those who follow balances: each gets the newest one, and versions only rise.
///
/// Followers are told without the lock: to resume a task, the language locks the task, and whoever cancels that holds
/// this while it asks for ours. So that versions rise all the same, one thread at a time tells a follower, and tells
/// what came meanwhile from others, too.
final class Followers: Sendable {
  private struct Follower {
    let account: AccountID
    let continuation: AsyncStream<Balance>.Continuation
    /// The newest balance that was found for the follower, and whether that is still to be told.
    var version = SequenceNumber.none
    var waiting: Balance?
    /// Whether a thread is telling the follower.
    var isBeingTold = false

    /// Takes what is to be told; where that is nothing, the thread has done its part.
    mutating func takeWaiting() -> Balance? {
      defer { waiting = nil }
      isBeingTold = waiting != nil
      return waiting
    }
  }

  private struct State {
    var followers: [UInt64: Follower] = [:]
    var accounts: [AccountID: [UInt64]] = [:]
    var next: UInt64 = 0
  }

  private let state = Locked(State())

  /// Adds a follower and answers its number.
  func add(_ account: AccountID, _ continuation: AsyncStream<Balance>.Continuation) -> UInt64 {
    state.withLock { state in
      state.next += 1
      state.followers[state.next] = Follower(account: account, continuation: continuation)
      state.accounts[account, default: []].append(state.next)
      return state.next
    }
  }

  /// Removes a follower.
  func remove(_ number: UInt64) {
    // What is removed goes when the lock has been given back.
    _ = state.withLock { state -> Follower? in
      guard let follower = state.followers.removeValue(forKey: number) else { return nil }
      let others = state.accounts[follower.account]?.filter { $0 != number } ?? []
      state.accounts[follower.account] = others.isEmpty ? nil : others
      return follower
    }
  }

  /// Tells all followers of an account a durable balance.
  func tell(_ account: AccountID, _ balance: Balance) {
    let numbers = state.withLock { $0.accounts[account] ?? [] }
    for number in numbers { tell(number, balance) }
  }

  /// Tells one follower a durable balance, unless it knows a newer one.
  func tell(_ number: UInt64, _ balance: Balance) {
    let continuation = state.withLock { state -> AsyncStream<Balance>.Continuation? in
      guard var follower = state.followers[number], balance.version > follower.version else { return nil }
      defer { state.followers[number] = follower }
      (follower.version, follower.waiting) = (balance.version, balance)
      if follower.isBeingTold { return nil }
      follower.isBeingTold = true
      return follower.continuation
    }
    guard let continuation else { return }
    while let next = state.withLock({ $0.followers[number]?.takeWaiting() }) { continuation.yield(next) }
  }

  /// Ends all sequences: the store is closed or has stopped.
  func finish() {
    let all = state.withLock { state in
      defer { state = State() }
      return state.followers.values.map(\.continuation)
    }
    for continuation in all { continuation.finish() }
  }
}
