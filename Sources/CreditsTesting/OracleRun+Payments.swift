internal import Credits

extension OracleRun {
  /// Does what has to do with charges.
  func performPayment(_ step: WorkloadStep) async throws {
    switch step {
    case .work(let acts): try await work(acts)
    case .crash(let act): try await crash(act)
    case .end(let order, let charges):
      let keys = gateway.keys
      guard keys.count > order else { return }
      let key = keys[keys.count - 1 - order]
      if gateway.script.taken.contains(where: { $0.key == key }) { return }
      if charges { gateway.script.settle(key) } else { gateway.script.refuse(key) }
      await gateway.script.deliverNotices()
    case .notice(let number, let again):
      let count = gateway.notices.count
      guard count > 0 else { return }
      let place = count - 1 - number % count
      let notice = gateway.notices[place]
      if !again { gateway.notices.remove(at: place) }
      guard let (account, number) = gateway.charge(notice.key) else { return }
      try await report(notice.outcome, number, of: account)
    case .report(let outcome, let number, let account): try await report(outcome, number, of: account)
    case .resumeCharges:
      try await store.resumeCharges()
      ledger.resumeCharges()
    default: preconditionFailure("\(step) has nothing to do with charges")
    }
  }

  /// The charges that are ready, once time has done its work.
  private func readyCharges() async throws -> [(account: AccountID, number: UInt32)] {
    try await tick()
    let expected = ledger.readyCharges
    let found = try worker.readyCharges().sorted { ($0.account.low, $0.number) < ($1.account.low, $1.number) }
    try expect(
      found.elementsEqual(expected, by: ==), "the charges \(found) are ready, expected \(expected)")
    // After a day the provider may forget a key.
    if !gateway.keys.isEmpty, ledger.now >= lastSending + .seconds(86_400) { gateway.script.forgetKeys() }
    return expected
  }

  private func work(_ acts: [ScriptedGateway.Act]) async throws {
    for (index, charge) in try await readyCharges().enumerated() {
      try await advance(charge.number, of: charge.account, acts[index % acts.count])
    }
  }

  private func advance(_ number: UInt32, of account: AccountID, _ act: ScriptedGateway.Act) async throws {
    let wasDue = ledger.accounts[account]?.charges[Int(number) - 1].status == .due
    gateway.prepare(act)
    let call = ledger.advance(number, of: account)
    if call != nil, wasDue { lastSending = ledger.now }
    try await worker.work(onCharge: number, of: account)
    let made = gateway.made
    try expect(
      made.map(\.call) == [call].compactMap { $0 },
      "charge \(number) of account \(account.low): the provider got \(made), expected \(String(describing: call))")
    if wasDue, call != nil { try checkCap(account) }
    if let outcome = made.first?.outcome { ledger.settle(number, of: account, outcome) }
    try checkAccount(account)
  }

  /// What is under way and paid in the period is not more than the customer agreed to.
  private func checkCap(_ id: AccountID) throws {
    guard let refill = ledger.accounts[id]?.refill, let terms = refill.terms, let account = ledger.accounts[id],
      account.openCharges.contains(where: { $0.kind == .refill && $0.status == .charging && $0.sent == ledger.now })
    else { return }
    let charged = account.charged(at: ledger.now, in: terms.cap.currency)
    try expect(charged <= terms.cap.minor, "account \(id.low) is charged \(charged) of \(terms.cap)")
  }

  /// Loses the store while the payment provider is called.
  private func crash(_ act: ScriptedGateway.Act) async throws {
    guard let (account, number) = try await readyCharges().first else { return }
    let (store, copy) = (store, nextCopy())
    gateway.prepare(act) { try await store.backup(to: copy) }
    guard let call = ledger.advance(number, of: account) else {
      try await worker.work(onCharge: number, of: account)
      return try checkAccount(account)
    }
    if case .charge = call { lastSending = ledger.now }
    try await worker.work(onCharge: number, of: account)
    try expect(gateway.made.map(\.call) == [call], "the provider got \(gateway.made), expected \(call)")
    try await restore(copy)
    try checkAccount(account)
  }

  private func report(_ outcome: ChargeOutcome, _ number: UInt32, of account: AccountID) async throws {
    let expected = ledger.report(outcome, number, of: account)
    var denial: Denial?
    do throws(StoreError) {
      let key = try await store.key(ofCharge: number, of: account) ?? "of no charge"
      try await store.report(outcome, ofChargeWithKey: key)
    } catch {
      guard case .denied(let reason) = error else { throw error }
      denial = reason
    }
    try expect(
      denial == expected,
      "\(outcome) of charge \(number) gave \(String(describing: denial)), expected \(String(describing: expected))")
    try checkAccount(account)
  }

  // MARK: Money

  /// No key is charged twice; what was credited was paid, once, in full.
  func checkMoney() throws {
    try expect(gateway.script.chargedTwice.isEmpty, "the keys \(gateway.script.chargedTwice) were charged twice")
    var taken: [AccountID: [UInt32: Money]] = [:]
    for item in gateway.script.taken {
      guard let (account, number) = gateway.charge(item.key) else { continue }
      taken[account, default: [:]][number] = item.money
    }
    for account in ledger.accounts.values {
      for charge in account.charges where charge.isPaid {
        try expect(
          taken[account.id]?[charge.number] == charge.price,
          "charge \(charge.number) of account \(account.id.low) is credited and was not paid")
      }
    }
  }

  /// Tells the store all that was paid: then the money taken is that of the charges that were credited, but for those
  /// that were paid with another sum and those that are too old, which the store refuses aloud.
  func reconcile() async throws {
    for item in gateway.script.taken {
      guard let (id, number) = gateway.charge(item.key), let account = ledger.accounts[id] else { continue }
      let charge = account.charges[Int(number) - 1]
      let isKnown = charge.isOpen || charge.isPaid || account.unpaid.contains(number)
      try await report(.succeeded(reference: "at last", price: item.money), number, of: id)
      let isCredited = ledger.accounts[id]?.charges[Int(number) - 1].isPaid ?? false
      try expect(isCredited == (isKnown && item.money == charge.price), "charge \(number) is paid and not credited")
    }
    try checkMoney()
  }
}
