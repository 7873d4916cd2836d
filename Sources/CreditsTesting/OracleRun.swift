internal import Credits

/// Runs a random workload against a store and the reference ledger side by side, and compares after every step.
public final class OracleRun {
  /// What kind of run it is.
  public struct Configuration: Sendable {
    /// The number of accounts.
    public var accounts = 40
    /// The most accounts that the store keeps in memory.
    public var residentAccounts = 1_024
    /// The entries between checkpoints.
    public var checkpointEntries = 1_024
    /// The most bytes of entries in one commit, in KiB.
    public var frameKibibytes = 256

    /// Makes a configuration with few accounts.
    public init() {}
  }

  /// Where the store and the reference ledger disagree.
  public struct Disagreement: Error, CustomStringConvertible {
    /// The seed of the workload.
    public let seed: UInt64
    /// The step that showed it.
    public let step: Int
    /// What is different.
    public let reason: String
    /// The latest steps, the last one last.
    public let steps: [String]

    /// All of it.
    public var description: String {
      "seed \(seed), step \(step): \(reason)\nthe last steps:\n  " + steps.joined(separator: "\n  ")
    }
  }

  private struct Difference: Error { let reason: String }

  private let seed: UInt64
  private let place: TemporaryStore
  private let clock: StoreClock.Manual
  private let settings: Settings
  private var store: CreditStore
  private var path: String
  private var copies = 0
  private var workload: RandomWorkload
  private var random: SplitMix64
  private var ledger: ReferenceLedger
  private var latest: [String] = []

  /// The number of times that the store was opened anew.
  public private(set) var reopenings = 0
  /// The number of requests that were answered, those in batches included.
  public private(set) var requests = 0

  /// Makes a fresh store and a fresh ledger.
  public init(seed: UInt64, _ configuration: Configuration = Configuration()) throws {
    self.seed = seed
    place = TemporaryStore()
    path = place.path
    let start = Timestamp(seconds: 1_700_000_000)
    clock = StoreClock.Manual(start)
    var settings = Settings()
    settings.clock = .manual(clock)
    settings.durability = .unsynced
    settings.mapSize = 4 << 30
    settings.clockJump = .seconds(1_000_000_000)
    settings.windowAge = .seconds(10_000_000_000)
    settings.residentAccounts = configuration.residentAccounts
    settings.checkpointEntries = configuration.checkpointEntries
    settings.frameKibibytes = configuration.frameKibibytes
    self.settings = settings
    store = try CreditStore.open(at: path, settings: settings)
    workload = RandomWorkload(seed: seed, accounts: configuration.accounts)
    random = SplitMix64(seed: ~seed)
    ledger = ReferenceLedger(at: start)
  }

  /// Runs a number of steps, and at the end opens the store anew and compares everything.
  public func run(steps: Int) async throws {
    for step in 0..<steps {
      try await run(workload.next(ledger), step)
    }
    try await run(.reopen, steps)
    try await run(.audit, steps + 1)
    try await store.close()
  }

  private func run(_ step: WorkloadStep, _ number: Int) async throws {
    if latest.count == 12 { latest.removeFirst() }
    latest.append("\(number): \(step), clock \(clock.now), time \(ledger.now), entry \(ledger.last)")
    do {
      try await perform(step)
    } catch {
      let reason = (error as? Difference)?.reason ?? "the store fails: \(error)"
      throw Disagreement(seed: seed, step: number, reason: reason, steps: latest)
    }
  }

  private func perform(_ step: WorkloadStep) async throws {
    switch step {
    case .request(let request, let acknowledge):
      try check(await answer(request, acknowledge), ledger.perform(request), request)
      try checkAccount(request.account)
      requests += 1
    case .batch(let requests, let acknowledge): try await perform(requests, acknowledge)
    case .clock(let time):
      // An earlier clock counts only against entries that are committed; wait for them, so that all know the same time.
      if time < clock.now { try await store.sync() }
      clock.now = time
      ledger.setClock(time)
    case .tick: try await tick()
    case .reopen: try await reopen { try await self.store.close() }
    case .restore: try await reopen { try await self.moveToCopy() }
    case .audit: try await audit()
    }
  }

  private func perform(_ requests: [ReferenceRequest], _ acknowledge: Acknowledgement) async throws {
    let debits = requests.compactMap { request -> Debit? in
      guard case .debit(let amount, let extent) = request.verb else { return nil }
      return Debit(amount, from: request.account, request: request.request, extent: extent)
    }
    let outcomes = try await store.debit(debits, acknowledge: acknowledge)
    guard outcomes.count == requests.count else { throw Difference(reason: "\(outcomes.count) outcomes came") }
    for (request, outcome) in zip(requests, outcomes) { try check(outcome, ledger.perform(request), request) }
    for request in requests { try checkAccount(request.account) }
    self.requests += requests.count
  }

  /// Does in the store what a request says; an outcome of other verbs than debits in the form of a debit's.
  private func answer(_ request: ReferenceRequest, _ acknowledge: Acknowledgement) async throws -> Outcome {
    let (account, id) = (request.account, request.request)
    do throws(StoreError) {
      switch request.verb {
      case .open(let label): return .debited(try await store.open(account, label: label))
      case .grant(let amount, let source, let priority, let starts, let expires):
        return .debited(
          try await store.grant(
            amount, to: account, source: source, priority: priority, starts: starts, expires: expires, request: id,
            acknowledge: acknowledge))
      case .debit(let amount, let extent):
        return try await store.debit(amount, from: account, request: id, extent: extent, acknowledge: acknowledge)
      case .freeze(let reason): return .debited(try await store.freeze(account, reason: reason, request: id))
      case .unfreeze(let reason): return .debited(try await store.unfreeze(account, reason: reason, request: id))
      case .close(let reason): return .debited(try await store.close(account, reason: reason, request: id))
      }
    } catch {
      guard case .denied(let denial) = error else { throw error }
      return .denied(denial)
    }
  }

  private func check(_ outcome: Outcome, _ expected: Outcome, _ request: ReferenceRequest) throws {
    if outcome != expected { throw Difference(reason: "\(request)\n  gave \(outcome)\n  expected \(expected)") }
  }

  private func checkAccount(_ id: AccountID) throws {
    let summary = try store.account(id)
    guard let account = ledger.accounts[id] else {
      if summary != nil { throw Difference(reason: "there is an account \(id)") }
      return
    }
    guard let summary else { throw Difference(reason: "the account \(id) is missing") }
    if let difference = account.difference(from: summary, at: ledger.now) { throw Difference(reason: difference) }
    guard try store.balance(of: id) == summary.balance else { throw Difference(reason: "the balance differs") }
    let amount = Amount(millionths: Int64(random.below(40_000_000)))
    let affordable = account.status == .open && summary.balance.available >= max(amount, Amount(millionths: 1))
    guard store.canAfford(amount, id) == affordable else { throw Difference(reason: "the gate for \(amount) differs") }
  }

  private func tick() async throws {
    let due = ledger.due
    try await store.tick()
    // The store may settle the accounts in any order; their versions tell which.
    var order: [(version: SequenceNumber, account: AccountID)] = []
    for account in due { order.append((try store.balance(of: account)?.version ?? .none, account)) }
    ledger.settle(order.sorted { $0.version < $1.version }.map(\.account))
    for account in due { try checkAccount(account) }
  }

  private func reopen(_ leave: () async throws -> Void) async throws {
    try await store.sync()
    // A time that no entry carries may be forgotten by a closed store; do not let it matter.
    if clock.now < ledger.latest, ledger.latest > ledger.recorded {
      clock.now = ledger.latest
      ledger.setClock(ledger.latest)
    }
    try await leave()
    store = try CreditStore.open(at: path, settings: settings)
    ledger.reopen()
    reopenings += 1
    let report = try await store.verify()
    if let problem = report.problem { throw Difference(reason: "verify says: \(problem)") }
    guard report.entries == ledger.last.value, report.accounts == UInt64(ledger.accounts.count) else {
      throw Difference(reason: "verify saw \(report.entries) entries, expected \(ledger.last)")
    }
  }

  private func moveToCopy() async throws {
    copies += 1
    let copy = place.place("copy-\(copies)")
    try await store.backup(to: copy)
    try await store.close()
    TemporaryStore.remove(path)
    path = copy
  }

  /// Compares all accounts, and the history of some.
  private func audit() async throws {
    for id in ledger.accounts.keys.sorted(by: { $0.low < $1.low }) {
      try checkAccount(id)
      guard id.low < 8 || random.once(in: 20), let account = ledger.accounts[id] else { continue }
      let history = try await store.history(of: id, limit: 200)
      let expected = account.entries.suffix(200).reversed()
      guard history.entries.count == expected.count, (history.end == .complete) == (account.entries.count <= 200) else {
        throw Difference(reason: "the history of \(account.label) has \(history.entries.count) entries")
      }
      for (entry, expected) in zip(history.entries, expected) {
        if let difference = expected.difference(from: entry) { throw Difference(reason: difference) }
      }
      try await explain(random.pick(account.entries), account)
    }
  }

  private func explain(_ entry: ReferenceEntry, _ account: ReferenceAccount) async throws {
    guard let request = entry.request?.request else { return }
    let explanation = try await store.explain(request, of: account.id)
    guard let explanation else { throw Difference(reason: "the request of entry \(entry.sequence) is not explained") }
    if let difference = entry.difference(from: explanation.entry) { throw Difference(reason: difference) }
    let grants = entry.kind == .debited ? entry.parts.map(\.grant) : []
    guard explanation.grants.compactMap(\.parts.first?.grant) == grants else {
      throw Difference(reason: "the grants of entry \(entry.sequence) are not explained")
    }
  }
}
