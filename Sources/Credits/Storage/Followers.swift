/// Those who follow balances: each gets the newest one, and versions only rise.
final class Followers: Sendable {
  private struct Follower {
    let account: AccountID
    let continuation: AsyncStream<Balance>.Continuation
    var version = SequenceNumber.none
  }

  private struct State {
    var followers: [UInt64: Follower] = [:]
    var accounts: [AccountID: [UInt64]] = [:]
    var next: UInt64 = 0
  }

  private let state = Locked(State())

  /// Adds a follower; answers its number and whether it is the account's first.
  func add(_ account: AccountID, _ continuation: AsyncStream<Balance>.Continuation) -> (number: UInt64, isFirst: Bool) {
    state.withLock { state in
      state.next += 1
      state.followers[state.next] = Follower(account: account, continuation: continuation)
      state.accounts[account, default: []].append(state.next)
      return (state.next, state.accounts[account]?.count == 1)
    }
  }

  /// Removes a follower; answers whether it was the account's last.
  func remove(_ number: UInt64) -> Bool {
    state.withLock { state in
      guard let follower = state.followers.removeValue(forKey: number) else { return false }
      state.accounts[follower.account]?.removeAll { $0 == number }
      guard state.accounts[follower.account]?.isEmpty == true else { return false }
      state.accounts[follower.account] = nil
      return true
    }
  }

  /// Tells all followers of an account a durable balance.
  func tell(_ account: AccountID, _ balance: Balance) {
    let numbers = state.withLock { $0.accounts[account] ?? [] }
    for number in numbers { tell(number, balance) }
  }

  /// Tells one follower a durable balance, unless it knows a newer one.
  func tell(_ number: UInt64, _ balance: Balance) {
    state.withLock { state in
      guard let follower = state.followers[number], balance.version > follower.version else { return }
      state.followers[number]?.version = balance.version
      follower.continuation.yield(balance)
    }
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
