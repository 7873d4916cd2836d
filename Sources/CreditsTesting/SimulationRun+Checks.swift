internal import Credits

/// What must be true of a store at any time.
extension SimulationRun {
  /// Compares an account with that of the reference ledger: available and held amounts, grants, holds, plan, refill.
  func checkAccount(_ id: AccountID) throws {
    let summary = try trying("reading an account") { () throws(StoreError) in
      moved.failure == nil ? try store.account(id) : nil
    }
    guard moved.failure == nil else { return }
    guard let account = ledger.accounts[id] else {
      return try expect("an account", summary == nil, "there is an account \(id.low)")
    }
    guard let summary else { throw Failure(kind: "an account", reason: "the account \(id.low) is missing") }
    try expect(
      "G1: overspent", summary.balance.available >= 0 && summary.balance.held >= 0,
      "account \(id.low) has \(summary.balance)")
    let refills = summary.charges.filter { $0.kind == .refill }.count
    try expect("G5: refills", refills <= 1, "account \(id.low) has \(refills) open refills")
    let isDurable = account.entries.first.map { $0.sequence <= written } ?? true
    if let difference = account.difference(from: summary, at: ledger.now(of: id), isDurable: isDurable) {
      throw Failure(kind: "an account", reason: difference)
    }
    let balance = try trying("reading a balance") { () throws(StoreError) in try store.balance(of: id) }
    try expect(
      "a balance", balance == summary.balance, "the balance of account \(id.low) is \(balance.debugDescription)")
    let affordable = account.status == .open && summary.balance.available >= 1
    try expect("the gate", store.canAfford(1, id) == affordable, "the gate of account \(id.low) is wrong")
    try checkMemory()
    counts.comparisons += 1
  }

  private func checkMemory() throws {
    guard profile.isCrowded else { return }
    mostResident = max(min(mostResident, moved.residentCount), moved.stripeLimit)
    let count = moved.residentCount
    try expect("G9: memory", count <= mostResident, "\(count) accounts are in memory, the bound is \(mostResident)")
  }

  /// The journal ends where the reference ledger says.
  func checkLength() throws {
    try expect(
      "journal: length", ledger.last == moved.last, "the journal ends at \(moved.last), expected \(ledger.last)")
  }

  /// Compares the journal, entry by entry, from where it was compared last.
  func compareEntries() throws {
    var difference: String?
    try trying("reading the journal") { () throws(StoreError) in
      try store.forEachEntry(from: SequenceNumber(compared.last.value + 1)) { entry in
        if entry.sequence.value != compared.last.value + 1 {
          difference = "the journal goes on with entry \(entry.sequence) after \(compared.last)"
          return false
        }
        let place = compared.entries[entry.account, default: 0]
        let entries = ledger.accounts[entry.account]?.entries ?? []
        difference = place < entries.count ? entries[place].difference(from: entry) : "entry \(entry) is too many"
        compared.entries[entry.account] = place + 1
        compared.last = entry.sequence
        digest.add(entry)
        counts.entries += 1
        return difference == nil
      }
    }
    if let difference { throw Failure(kind: "the journal", reason: difference) }
  }

  func audit() throws {
    guard moved.failure == nil else { return }
    try compareEntries()
    for id in profile.accounts { try checkAccount(id) }
    try checkMoney()
  }

  /// The store proves itself.
  func verify() throws {
    guard moved.failure == nil else { return }
    let report = try trying("verify") { () throws(StoreError) in try moved.verify() }
    if let problem = report.problem { throw Failure(kind: "G8: verify", reason: "verify says: \(problem)") }
    try expect(
      "G8: verify", profile.isForgetful || report.entries == written.value,
      "verify saw \(report.entries) entries, expected \(written)")
    counts.proofs += 1
  }

  /// No charge was charged twice; what was credited was paid, once, in full.
  func checkMoney() throws {
    if let twice = provider.twice { throw Failure(kind: "G5: charged twice", reason: "\(twice) was charged twice") }
    var taken: [ChargeID: Money] = [:]
    for item in provider.memory.taken { if let charge = provider.charges[item.key] { taken[charge] = item.money } }
    for id in profile.accounts {
      for charge in ledger.accounts[id]?.charges ?? [] where charge.isPaid {
        let money = taken[ChargeID(account: id, number: charge.number)]
        try expect(
          "G5: unpaid", money == charge.price,
          "charge \(charge.number) of account \(id.low) is credited and was not paid")
      }
    }
  }

  // MARK: The end

  /// Lets everything come to its end, opens the store once more, and compares all of it.
  func conclude() throws {
    if moved.failure != nil { try crash() }
    if isAhead {
      store.acceptClock()
      try look()
    }
    try settleDown()
    for charge in Set(provider.calls.map(\.charge)).sorted(by: ChargeID.precedes) {
      provider.arrive(charge, .succeed, at: ledger.now)
    }
    provider.forgetCallers()
    try reopen()
    try audit()
    try verify()
    if !profile.isForgetful { try reconcile() }
    try audit()
  }

  /// Runs all callers and commits until nobody waits.
  private func settleDown() throws {
    for _ in 0..<1_000 {
      for caller in callers where caller.isReady { try run(caller) }
      // Who waits for room in memory waits for a commit, though there may be no entry to commit.
      try step()
      try commitAll()
      if callers.allSatisfy({ $0.errand == nil }) { return }
    }
    throw Failure(kind: "G10: waiter", reason: "somebody waits, and nothing more happens")
  }

  /// Tells the store all that was paid: then what was taken is what was credited, but for other sums, and for charges
  /// that ended too long ago.
  private func reconcile() throws {
    for item in provider.memory.taken {
      guard let id = provider.charges[item.key],
        let charge = ledger.accounts[id.account]?.charges[Int(id.number) - 1]
      else { continue }
      let unpaid = ledger.accounts[id.account]?.unpaid ?? []
      let isKnown = charge.isOpen || charge.isPaid || unpaid.contains(id.number)
      try reportAtOnce(.succeeded(reference: "at last", price: item.money), id, key: item.key)
      let isCredited = ledger.accounts[id.account]?.charges[Int(id.number) - 1].isPaid ?? false
      try expect(
        "G5: not credited", isCredited == (isKnown && item.money == charge.price), "\(id) is paid and not credited")
    }
  }
}

extension ChargeID {
  static func precedes(_ left: ChargeID, _ right: ChargeID) -> Bool {
    (left.account.low, left.number) < (right.account.low, right.number)
  }
}

/// What has happened in a history, in one number that any difference changes.
struct Digest {
  private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

  mutating func add(_ word: UInt64) {
    value = (value ^ word) &* 0x9E37_79B9_7F4A_7C15
    value ^= value >> 29
  }

  mutating func add(_ text: String) { for byte in text.utf8 { add(UInt64(byte)) } }

  mutating func add(_ entry: JournalEntry) {
    add(entry.sequence.value)
    add(entry.account.low)
    add(UInt64(bitPattern: entry.time.microseconds))
    add(UInt64(bitPattern: entry.amount.millionths))
    add(UInt64(bitPattern: entry.available.millionths))
    add(entry.request?.low ?? 0)
  }

  mutating func add(_ answer: ReferenceAnswer) {
    add(answer.sequence?.value ?? 0)
    add(answer.isReplay ? 1 : 2)
    if case .outcome(.denied(let denial)) = answer { add(UInt64(bitPattern: denial.time.microseconds)) }
  }
}
