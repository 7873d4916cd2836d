extension AccountSummary {
  init(_ account: Account, label: String?, at now: Timestamp) {
    self.init(
      id: account.id, label: label, balance: account.balance, status: account.status, granted: account.granted,
      spent: account.spent, expired: account.expired, grants: account.grants, holds: account.extras.holds,
      plan: account.extras.plan, alerts: account.extras.alerts, refill: RefillSummary(account, at: now),
      methods: account.extras.methods, charges: account.extras.charges)
  }
}
