internal import Synchronization

/// The accounts with charges that have not ended.
final class OpenCharges: Sendable {
  /// Tells when an account has, or no longer has, open charges.
  let signal = Signal()
  /// Whether something was noted since that was last told.
  private let hasNews = Atomic<Bool>(false)
  private let state: Locked<Set<AccountID>> = Locked([])

  /// The accounts.
  var accounts: Set<AccountID> { state.withLock { $0 } }

  /// Notes whether an account has open charges; to be told later, since the caller holds a lock.
  func note(_ account: AccountID, isOpen: Bool) {
    state.withLock { accounts in
      if isOpen { accounts.insert(account) } else { accounts.remove(account) }
    }
    hasNews.store(true, ordering: .releasing)
  }

  /// Tells what was noted. What is noted after a commit is told after the next, which an account that has changed has.
  func tell() {
    if hasNews.exchange(false, ordering: .acquiring) { signal.send() }
  }
}
