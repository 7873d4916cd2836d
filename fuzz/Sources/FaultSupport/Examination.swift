public import Credits

/// Looks for everything that may be wrong with a store after a crash or a fault.
public struct Examination: Sendable {
  /// The scenario that was cut off.
  public let scenario: Scenario
  /// What the world outside knows.
  public let knowledge: Knowledge
  /// The entries that the whole scenario made, by number, as far as they are known.
  public let journal: [UInt64: JournalEntry]
  /// The folder with the store and its backups.
  public let folder: String

  /// Something that is wrong.
  public struct Finding: Error, CustomStringConvertible {
    /// What it is.
    public let description: String

    init(_ description: String) { self.description = description }
  }

  /// Makes an examination.
  public init(_ scenario: Scenario, _ knowledge: Knowledge, journal: [UInt64: JournalEntry] = [:], in folder: String) {
    self.scenario = scenario
    self.knowledge = knowledge
    self.journal = journal
    self.folder = folder
  }

  private var path: String { Runner.store(in: folder) }

  /// Does all of it: the store, that it goes on working, and its backups.
  public func run() async throws {
    let isPromised = !knowledge.results.isEmpty
    let clock = StoreClock.Manual(Timestamp(microseconds: knowledge.time))
    let store: CreditStore
    do throws(StoreError) { store = try CreditStore.open(at: path, settings: scenario.settings(clock)) } catch {
      guard !isPromised else { throw Finding("it does not open: \(error)") }
      // A creation that was never acknowledged may be refused, and must not stand in the way of another one.
      Folders.remove(path)
      try await CreditStore.open(at: path, settings: scenario.settings(clock)).close()
      return
    }
    do {
      try await examine(store)
      try await store.close()
      try await reopen(clock)
    } catch {
      try? await store.close()
      throw error
    }
    for index in knowledge.results.keys.sorted() {
      if case .backup(let name) = scenario.steps[index] { try await examineBackup(name, index, clock) }
    }
  }

  private func examine(_ store: CreditStore) async throws {
    try examineJournal(store)
    try await verify(store, "at first")
    try await repeatAll(on: store)
    try await settleCharges(of: store)
    try await goOn(with: store)
  }

  // MARK: What is there

  private func examineJournal(_ store: CreditStore) throws {
    let last = try store.statistics().last.value
    guard last >= knowledge.sequence else {
      throw Finding("its journal ends at \(last), entry \(knowledge.sequence) was acknowledged")
    }
    var entries: [AccountID: JournalEntry] = [:]
    var difference: String?
    try store.forEachEntry(from: try store.statistics().firstKept) { (entry) throws(StoreError) in
      entries[entry.account] = entry
      if let original = journal[entry.sequence.value], original != entry {
        difference = "entry \(entry) was \(original)"
      } else if !journal.isEmpty, journal[entry.sequence.value] == nil {
        difference = "entry \(entry) was never written"
      }
      return difference == nil
    }
    if let difference { throw Finding(difference) }
    for (account, entry) in entries {
      guard let balance = try store.balance(of: account), balance.version >= entry.sequence else {
        throw Finding("the balance of \(account) does not include \(entry)")
      }
      if balance.version == entry.sequence, balance.available != entry.available {
        throw Finding("the balance of \(account) is \(balance), its last entry is \(entry)")
      }
    }
  }

  private func verify(_ store: CreditStore, _ moment: String) async throws {
    let report = try await store.verify()
    if let problem = report.problem { throw Finding("verify \(moment): \(problem)") }
    let sum = report.grantedMillionths - report.spentMillionths - report.expiredMillionths
    if report.partialAccounts == 0, sum != report.availableMillionths {
      throw Finding("verify \(moment): the totals do not add up: \(report)")
    }
  }

  /// Everything that was acknowledged is answered as it was.
  private func repeatAll(on store: CreditStore) async throws {
    let last = try store.statistics().last.value
    let remembered = UInt64(scenario.settings(StoreClock.Manual(Scenario.begin)).windowRequests)
    for (index, known) in knowledge.results.sorted(by: { $0.key < $1.key }) {
      let step = scenario.steps[index]
      if step.isRequest {
        // What the request window may have forgotten is in the journal only, which has been compared.
        guard known.sequence + remembered > last + 512, known.sequence > 0 || last < 500 else { continue }
        let result = try await step.ask(store, index: index, isRepetition: true) { self.result($0) }
        guard result.text == known.text else {
          throw Finding("step \(index), \(step), was answered \(known.text), and now \(result.text)")
        }
        continue
      }
      switch step {
      case .publish:
        guard store.priceBooks.count == Int(known.text) else { throw Finding("a published price book is gone") }
      case .consumer: guard store.consumers["mailer"] != nil else { throw Finding("the consumer is gone") }
      case .acknowledge:
        guard (store.consumers["mailer"]?.value ?? 0) >= known.sequence else {
          throw Finding("the consumer has gone back to \(store.consumers)")
        }
      case .trim:
        guard try store.statistics().firstKept.value >= UInt64(known.text) ?? 0 else {
          throw Finding("what was trimmed before \(known.text) is back")
        }
      default: break
      }
    }
    // What was not acknowledged is wholly there or wholly absent: repeating it gives one outcome, twice.
    guard let next = scenario.steps.indices.first(where: { knowledge.results[$0] == nil && $0 > 0 }),
      scenario.steps[next].isRequest
    else { return }
    let first = try await scenario.steps[next].ask(store, index: next) { self.result($0) }
    let second = try await scenario.steps[next].ask(store, index: next) { self.result($0) }
    if first.text != second.text { throw Finding("step \(next) is answered \(first.text), then \(second.text)") }
  }

  private func result(_ index: Int) -> Result? {
    knowledge.results[index].map { Result($0.text, $0.sequence) }
  }

  // MARK: Cards

  /// Every card that was charged comes to its credits once, and none is charged again.
  private func settleCharges(of store: CreditStore) async throws {
    let open = knowledge.results.isEmpty ? [] : try await openCharges(of: store)
    guard !open.isEmpty || !knowledge.charges.isEmpty else { return }
    if store.chargesArePaused { try await store.resumeCharges() }
    let gateway = RecordingGateway(acts: [], known: knowledge.charges) { (_, _) in }
    let worker = RefillWorker(store: store, gateway: gateway, concurrency: 1)
    for _ in 0..<20 { if try await worker.work() == 0 { break } }
    var credits: [(account: AccountID, number: UInt32)] = []
    try store.forEachEntry(from: try store.statistics().firstKept) { (entry) throws(StoreError) in
      if entry.kind == .credited, let number = entry.charge { credits.append((entry.account, number)) }
      return true
    }
    var credited: [String: Int] = [:]
    for credit in credits {
      // Where the entry that made the charge is trimmed, its key is not known any more.
      guard let key = try await store.key(ofCharge: credit.number, of: credit.account) else { continue }
      credited[key, default: 0] += 1
    }
    let waiting = Set(try await openCharges(of: store))
    for key in knowledge.charges.keys where credited[key] != 1 && !waiting.contains(key) {
      throw Finding("the card was charged under \(key), which was credited \(credited[key] ?? 0) times")
    }
    for (key, count) in credited where count != 1 || gateway.all[key] == nil {
      throw Finding("\(key) was credited \(count) times, and charged \(gateway.all[key] ?? 0)")
    }
  }

  /// The keys of the charges that have not ended.
  private func openCharges(of store: CreditStore) async throws -> [String] {
    var keys: [String] = []
    for account in 1...3 {
      let account = AccountID(UInt64(account))
      for charge in try store.account(account)?.charges ?? [] {
        if let key = try await store.key(ofCharge: charge.number, of: account) { keys.append(key) }
      }
    }
    return keys
  }

  // MARK: Going on

  private static let visitor = AccountID(high: 0xFA17, low: 1)

  private static func visit(_ number: UInt64) -> RequestID { RequestID(high: 0xFA17_0001, low: number) }

  private func goOn(with store: CreditStore) async throws {
    let visitor = Examination.visitor
    try await store.open(visitor, label: "visitor")
    try await store.grant(10, to: visitor, source: .promotion("visit"), request: Examination.visit(1))
    for number in 2...4 as ClosedRange<UInt64> {
      guard case .debited = try await store.debit(1, from: visitor, request: Examination.visit(number)) else {
        throw Finding("it does not go on: debit \(number) is denied")
      }
    }
  }

  private func reopen(_ clock: StoreClock.Manual) async throws {
    let store: CreditStore
    do throws(StoreError) { store = try CreditStore.open(at: path, settings: scenario.settings(clock)) } catch {
      throw Finding("it does not open a second time: \(error)")
    }
    do {
      let balance = try store.balance(of: Examination.visitor)?.available
      guard balance == 7 else { throw Finding("the visitor has \(balance.map { "\($0)" } ?? "no account"), not 7") }
      guard
        case .debited(let receipt) = try await store.debit(
          1, from: Examination.visitor, request: Examination.visit(4)), receipt.isReplay
      else { throw Finding("a debit after the reopening is executed again") }
      try await verify(store, "after the reopening")
      try await store.close()
    } catch {
      try? await store.close()
      throw error
    }
  }

  private func examineBackup(_ name: String, _ index: Int, _ clock: StoreClock.Manual) async throws {
    do {
      let copy = try CreditStore.open(at: folder + "/" + name, settings: scenario.settings(clock))
      do {
        guard copy.chargesArePaused else { throw Finding("it charges cards") }
        try await verify(copy, "of the backup")
        let known = Examination(
          scenario, knowledge.before(index), journal: journal, in: folder)
        try known.examineJournal(copy)
        try await known.repeatAll(on: copy)
        try await copy.close()
      } catch {
        try? await copy.close()
        throw error
      }
    } catch { throw Finding("\(name): \(error)") }
  }
}

extension Knowledge {
  /// What was known of the steps before one.
  func before(_ index: Int) -> Knowledge {
    var earlier = Knowledge()
    for (step, known) in results where step < index {
      earlier.learn(.acknowledged(index: step, sequence: known.sequence, time: time, text: known.text))
    }
    return earlier
  }
}
