public import Credits
internal import Logging

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
    /// How long the store remembers requests; the reference ledger never forgets one.
    public var windowAge = Duration.seconds(10_000_000_000)
    /// What does the work of the store's threads, where it has none.
    package var thread: OneThread?

    /// Makes a configuration with few accounts.
    public init() {}
  }

  /// Where the store and the reference ledger disagree.
  public struct Disagreement: Error, CustomStringConvertible {
    /// The seed of the workload; 0 for one that bytes lead to.
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

  struct Difference: Error { let reason: String }

  /// A step, and the state that it found.
  private struct Done: CustomStringConvertible {
    let number: Int
    let step: WorkloadStep
    let clock: Timestamp
    let time: Timestamp
    let last: SequenceNumber
    var description: String { "\(number): \(step), clock \(clock), time \(time), entry \(last)" }
  }

  private let seed: UInt64
  let place: TemporaryStore
  private let clock: StoreClock.Manual
  private let settings: Settings
  private let thread: OneThread?
  var store: CreditStore
  private var path: String
  private var copies = 0
  private var workload: RandomWorkload
  var random: SplitMix64
  var ledger: ReferenceLedger
  private var latest: [Done] = []
  private var steps = 0
  let gateway = OracleGateway()
  var worker: RefillWorker
  var quotes: [Quote] = []
  /// How many entries of each account were compared, and the last one of all.
  var compared: (entries: [AccountID: Int], last: SequenceNumber) = ([:], .none)
  /// When a card was last charged under a new key.
  var lastSending = Timestamp.zero

  /// The number of times that the store was opened anew.
  public private(set) var reopenings = 0
  /// The number of requests that were answered, those in batches included.
  public private(set) var requests = 0
  /// The number of calls that the payment provider got.
  public var calls: Int { gateway.script.calls + gateway.script.lookUps }
  /// How often each kind of entry was made.
  public var kinds: [JournalEntry.Kind: Int] {
    var kinds: [JournalEntry.Kind: Int] = [:]
    for entry in ledger.accounts.values.flatMap(\.entries) { kinds[entry.kind, default: 0] += 1 }
    return kinds
  }

  /// Makes a fresh store and a fresh ledger.
  public convenience init(seed: UInt64, _ configuration: Configuration = Configuration()) throws {
    try self.init(RandomWorkload(seed: seed, accounts: configuration.accounts), seed: seed, configuration)
  }

  /// Makes a fresh store and a fresh ledger for the workload that bytes lead to.
  public convenience init(bytes: some Sequence<UInt8>, _ configuration: Configuration = Configuration()) throws {
    let workload = RandomWorkload(Choices(bytes: bytes), accounts: configuration.accounts)
    try self.init(workload, seed: 0, configuration)
  }

  private init(_ workload: RandomWorkload, seed: UInt64, _ configuration: Configuration) throws {
    self.seed = seed
    self.workload = workload
    place = TemporaryStore()
    path = place.path
    let start = Timestamp(seconds: 1_700_000_000)
    clock = StoreClock.Manual(start)
    var settings = Settings()
    settings.clock = .manual(clock)
    settings.durability = .unsynced
    settings.mapSize = 4 << 30
    settings.clockJump = .seconds(1_000_000_000)
    settings.windowAge = configuration.windowAge
    settings.residentAccounts = configuration.residentAccounts
    settings.checkpointEntries = configuration.checkpointEntries
    settings.frameKibibytes = configuration.frameKibibytes
    // Much goes wrong on purpose, and is compared.
    settings.logger = Logger(label: "oracle") { _ in SwiftLogNoOpLogHandler() }
    settings.simulation = configuration.thread?.simulation
    self.settings = settings
    thread = configuration.thread
    store = try CreditStore.open(at: path, settings: settings)
    thread?.serve(store)
    worker = RefillWorker(store: store, gateway: gateway, concurrency: 1)
    random = SplitMix64(seed: ~seed)
    ledger = ReferenceLedger(at: start)
  }

  /// Runs a number of steps, or until nothing is left to choose from, and at the end opens the store anew and compares
  /// everything.
  public func run(steps limit: Int) async throws {
    try await take(steps: limit)
    try await run(.reopen, steps)
    try await run(.audit, steps + 1)
    do { try await reconcile() } catch { throw disagreement(error, steps + 2) }
    try await run(.audit, steps + 3)
    try await verify()
    try await store.close()
  }

  /// Runs a number of steps, or until nothing is left to choose from.
  public func take(steps limit: Int) async throws {
    let end = steps + limit
    while steps < end, !workload.isAtEnd {
      try await run(workload.next(ledger), steps)
      steps += 1
    }
  }

  /// Copies the store, as it is after the steps so far, to a new folder.
  public func copy(to path: String) async throws { try await store.backup(to: path) }

  private func run(_ step: WorkloadStep, _ number: Int) async throws {
    if latest.count == 12 { latest.removeFirst() }
    latest.append(Done(number: number, step: step, clock: clock.now, time: ledger.now, last: ledger.last))
    do { try await perform(step) } catch { throw disagreement(error, number) }
  }

  private func disagreement(_ error: any Error, _ number: Int) -> Disagreement {
    let reason = (error as? Difference)?.reason ?? "the store fails: \(error)"
    return Disagreement(seed: seed, step: number, reason: reason, steps: latest.map(\.description))
  }

  private func perform(_ step: WorkloadStep) async throws {
    switch step {
    case .request(let request, let acknowledge):
      let answer = try await answer(request, acknowledge)
      try check(answer, ledger.perform(request), request)
      try checkAccount(request.account)
      requests += 1
    case .batch(let requests, let acknowledge): try await performBatch(requests, acknowledge)
    case .usages(let requests, let acknowledge): try await performUsages(requests, acknowledge)
    case .quote(let usage): try await quote(usage)
    case .publish(let book):
      ledger.publish(book)
      let version = try await store.publish(book)
      try expect(Int(version) == ledger.prices.books.count, "the book became version \(version)")
    case .clock(let time):
      // An earlier clock counts only against entries that are committed; wait for them, so that all know the same time.
      if time < clock.now { try await store.sync() }
      clock.now = time
      ledger.setClock(time)
    case .tick: try await tick()
    case .work, .crash, .end, .notice, .report, .resumeCharges: try await performPayment(step)
    case .reopen: try await reopen { try await self.store.close() }
    case .restore: try await restore(nil)
    case .audit: try await audit()
    }
  }

  private func performBatch(_ requests: [ReferenceRequest], _ acknowledge: Acknowledgement) async throws {
    let debits = requests.compactMap { request -> Debit? in
      guard case .debit(let amount, let extent) = request.verb else { return nil }
      return Debit(amount, from: request.account, request: request.request, extent: extent)
    }
    try check(try await store.debit(debits, acknowledge: acknowledge), requests)
  }

  private func performUsages(_ requests: [ReferenceRequest], _ acknowledge: Acknowledgement) async throws {
    let debits = requests.compactMap { request in
      request.usage.map { UsageDebit($0, from: request.account, request: request.request) }
    }
    try check(try await store.debit(for: debits, acknowledge: acknowledge), requests)
  }

  private func check(_ outcomes: [Outcome], _ requests: [ReferenceRequest]) throws {
    try expect(outcomes.count == requests.count, "\(outcomes.count) outcomes came")
    for (request, outcome) in zip(requests, outcomes) {
      try check(.outcome(outcome), ledger.perform(request), request)
    }
    for request in requests { try checkAccount(request.account) }
    self.requests += requests.count
  }

  private func check(_ answer: ReferenceAnswer, _ expected: ReferenceAnswer, _ request: ReferenceRequest) throws {
    if answer != expected { throw Difference(reason: "\(request)\n  gave \(answer)\n  expected \(expected)") }
  }

  func expect(_ isTrue: Bool, _ reason: @autoclosure () -> String) throws {
    if !isTrue { throw Difference(reason: reason()) }
  }

  func checkAccount(_ id: AccountID) throws {
    let summary = try store.account(id)
    guard let account = ledger.accounts[id] else {
      return try expect(summary == nil, "there is an account \(id)")
    }
    guard let summary else { throw Difference(reason: "the account \(id) is missing") }
    if let difference = account.difference(from: summary, at: ledger.now) { throw Difference(reason: difference) }
    try expect(try store.balance(of: id) == summary.balance, "the balance differs")
    try expect(summary.charges.filter { $0.kind == .refill }.count <= 1, "account \(id.low) has two refills")
    let amount = Amount(millionths: Int64(random.below(40_000_000)))
    let affordable = account.status == .open && summary.balance.available >= max(amount, Amount(millionths: 1))
    try expect(store.canAfford(amount, id) == affordable, "the gate for \(amount) differs")
    if random.once(in: 8) { try checkGate(account, summary.balance.available) }
  }

  private func checkGate(_ account: ReferenceAccount, _ available: Amount) throws {
    let usage = workload.usage()
    var affordable = false
    if case .success(let quote) = ledger.prices.price(usage, at: ledger.now) {
      affordable = account.status == .open && available >= quote.amount
    }
    try expect(store.canAfford(usage, account.id) == affordable, "the gate for \(usage) differs")
  }

  func tick() async throws {
    let due = ledger.due
    try await store.tick()
    // The store may settle the accounts in any order; their versions tell which.
    var order: [(version: SequenceNumber, account: AccountID)] = []
    for account in due { order.append((try store.balance(of: account)?.version ?? .none, account)) }
    ledger.settle(order.sorted { $0.version < $1.version }.map(\.account))
    for account in due { try checkAccount(account) }
  }

  // MARK: Leaving

  private func reopen(asCopy: Bool = false, _ leave: () async throws -> Void) async throws {
    try await store.sync()
    // A time that no entry carries may be forgotten by a closed store; do not let it matter.
    if clock.now < ledger.latest, ledger.latest > ledger.recorded {
      clock.now = ledger.latest
      ledger.setClock(ledger.latest)
    }
    try await leave()
    store = try CreditStore.open(at: path, settings: settings)
    thread?.serve(store)
    worker = RefillWorker(store: store, gateway: gateway, concurrency: 1)
    ledger.reopen(asCopy: asCopy)
    reopenings += 1
    try expect(store.chargesArePaused == ledger.isPaused, "charges are paused, or are not, by mistake")
    try expect(store.priceBooks == ledger.prices.books, "the price books are others")
    try checkMoney()
    // A proof takes as long as the journal is.
    if reopenings % 4 == 1 || ledger.last.value < 2_000 { try await verify() }
  }

  /// The store proves itself.
  private func verify() async throws {
    let report = try await store.verify()
    if let problem = report.problem { throw Difference(reason: "verify says: \(problem)") }
    try expect(
      report.entries == ledger.last.value && report.accounts == UInt64(ledger.accounts.count),
      "verify saw \(report.entries) entries, expected \(ledger.last)")
  }

  /// Opens a copy in place of the store: one that was made before, or else now.
  func restore(_ copy: String?) async throws {
    try await reopen(asCopy: true) {
      var copy = copy
      if copy == nil {
        copy = self.nextCopy()
        try await self.store.backup(to: copy ?? "")
      }
      try await self.store.close()
      TemporaryStore.remove(self.path)
      self.path = copy ?? ""
    }
  }

  /// A place for a copy.
  func nextCopy() -> String {
    copies += 1
    return place.place("copy-\(copies)")
  }
}
