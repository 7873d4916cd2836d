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
    state.withLock { state in
      guard let follower = state.followers.removeValue(forKey: number) else { return }
      let others = state.accounts[follower.account]?.filter { $0 != number } ?? []
      state.accounts[follower.account] = others.isEmpty ? nil : others
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
