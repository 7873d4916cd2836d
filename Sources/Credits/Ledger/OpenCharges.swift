/// The accounts with charges that have not ended.
final class OpenCharges: Sendable {
  /// Tells when an account has, or no longer has, open charges.
  let signal = Signal()
  private let state: Locked<Set<AccountID>> = Locked([])

  /// The accounts.
  var accounts: Set<AccountID> { state.withLock { $0 } }

  /// Notes whether an account has open charges.
  func note(_ account: AccountID, isOpen: Bool) {
    state.withLock { accounts in
      if isOpen { accounts.insert(account) } else { accounts.remove(account) }
    }
    signal.send()
  }
}
