internal import Credits
internal import Logging

/// A simulated store with callers, a disk, a clock and a payment provider, and the reference ledger beside it.
///
/// Everything happens on the thread that performs steps: the store has no thread of its own, each caller's task goes on
/// when a step says so, a commit is three steps. What the disk has is known exactly; so when the process dies, the
/// reference ledger goes back to there, and the store must be there, too.
final class SimulationRun {
  /// What is wrong.
  struct Failure: Error {
    /// The kind of failure: a shorter history must fail in the same way.
    let kind: String
    let reason: String
  }

  /// What changed in the reference ledger, to be done again on the one that is behind.
  enum Change {
    case request(ReferenceRequest, ReferencePrice?)
    case settle([AccountID])
    case advance(ChargeID)
    case book(ChargeOutcome, ChargeID)
    case report(ChargeOutcome, ChargeID)
    case publish(PriceBook)
    case published
  }

  let profile: SimulationProfile
  let control: Simulator.Control?
  let clock: StoreClock.Manual
  private let path: String
  private var settings = Settings()
  var store: CreditStore
  var moved: SimulatedStore
  /// The number of times that the store was opened.
  var opening = 0
  let callers = (0..<12).map { SimulatedCaller($0) }

  // The oracle: as callers see it, as the disk has it, and what lies between.
  var ledger: ReferenceLedger
  private var durable: ReferenceLedger
  private var changes: [(clock: Timestamp, latest: Timestamp, change: Change)] = []
  private var writtenChanges = 0
  /// The last entry that the disk has, and the last that somebody knows to be durable.
  private(set) var written = SequenceNumber.none
  var acknowledged = SequenceNumber.none
  private(set) var pending: (commit: SimulatedStore.Commit, changes: Int, isWritten: Bool)?
  private var hasPaused = false
  /// The commits that the present step has waited for; a step that needs too many would never come to its end.
  private var waits = 0
  private static let mostWaits = 20_000
  /// What went wrong where nobody could be told.
  private var failure: Failure?
  /// Whether the store may have decided what the reference ledger has not been told yet.
  private var isBehind = false
  private var isOpen = true
  /// Whether the clock is too far ahead.
  private(set) var isAhead = false
  private var lastTime = Timestamp.zero
  /// The most accounts in memory, where all are of one stripe.
  var mostResident = Int.max
  var compared: (entries: [AccountID: Int], last: SequenceNumber) = ([:], .none)

  var provider = SimulatedProvider()
  var claims: Set<ChargeID> = []
  var quotes: [Quote] = []
  /// The requests that were lost with a process, to be sent again.
  var lost: [ReferenceRequest] = []
  var isPublishing = false
  /// What has happened, in a number.
  var digest = Digest()
  var counts = Simulator.Counts()

  init(_ profile: SimulationProfile, _ control: Simulator.Control?, path: String) throws {
    self.profile = profile
    self.control = control
    self.path = path
    let start = Timestamp(seconds: 1_700_000_000)
    clock = StoreClock.Manual(start)
    (ledger, durable) = (ReferenceLedger(at: start), ReferenceLedger(at: start))
    settings.clock = .manual(clock)
    settings.durability = .unsynced
    settings.mapSize = 1 << 30
    settings.clockJump = profile.clockJump
    settings.windowAge = .seconds(10_000_000_000)
    settings.windowRequests = profile.windowRequests
    settings.residentAccounts = 1_024
    settings.checkpointEntries = 1_024
    settings.frameKibibytes = 256
    settings.waitingCallers = profile.waitingCallers
    settings.retention = profile.retention
    settings.logger = Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() }
    let hook = Hook()
    settings.simulation = Simulation(store: profile.identity, key: profile.key) { hook.run?.pause() }
    store = try CreditStore.open(at: path, settings: settings)
    moved = store.simulated
    hook.run = self
    lastTime = moved.time
    try look()
  }

  /// The way from the store back to the simulation.
  private final class Hook: @unchecked Sendable {
    // Safe to share: a simulation uses one thread.
    weak var run: SimulationRun?
  }

  /// Whether the store forgets requests that it must know.
  var isAmnesiac: Bool { control == .forgetful && !profile.isForgetful }

  /// Leaves the store.
  func leave() {
    guard isOpen else { return }
    moved.die()
    runCallers()
    moved.abandon()
  }

  /// Lets all callers go on until they wait or have ended.
  private func runCallers() {
    var rounds = 0
    while rounds < 10_000, callers.contains(where: \.isReady) {
      for caller in callers { caller.run() }
      rounds += 1
    }
  }

  func expect(_ kind: String, _ isTrue: Bool, _ reason: @autoclosure () -> String) throws {
    if !isTrue { throw Failure(kind: kind, reason: reason()) }
  }

  /// Fails where the store throws.
  func trying<R>(_ what: String, _ body: () throws(StoreError) -> R) throws -> R {
    do throws(StoreError) { return try body() } catch {
      throw Failure(kind: "\(what) fails", reason: "\(what) fails: \(error)")
    }
  }

  // MARK: Time

  /// Looks at the store's time, which never goes back, and tells it to the reference ledger.
  func look() throws {
    let time = moved.time
    try expect("G4: time", time >= lastTime, "the store's time went back from \(lastTime) to \(time)")
    lastTime = time
    isAhead = clock.now > time + profile.clockJump
    // Too far ahead, the clock counts for nothing.
    ledger.tell(clock: isAhead ? time : clock.now, latest: time)
  }

  // MARK: The oracle

  /// Changes the reference ledger, and keeps the change for the one that is behind.
  @discardableResult
  func change(_ change: Change) -> ReferenceAnswer? {
    changes.append((ledger.clock, ledger.latest, change))
    return SimulationRun.apply(change, to: &ledger)
  }

  /// Notes a change of which callers see nothing before it is durable.
  func note(_ change: Change) { changes.append((ledger.clock, ledger.latest, change)) }

  @discardableResult
  static func apply(_ change: Change, to ledger: inout ReferenceLedger) -> ReferenceAnswer? {
    switch change {
    case .request(let request, let price): return ledger.perform(request, at: price)
    case .settle(let accounts): ledger.settle(accounts)
    case .advance(let charge): _ = ledger.advance(charge.number, of: charge.account)
    case .book(let outcome, let charge): ledger.settle(charge.number, of: charge.account, outcome)
    case .report(let outcome, let charge): _ = ledger.report(outcome, charge.number, of: charge.account)
    case .publish, .published: break
    }
    return nil
  }

  /// Goes back to what the disk has.
  private func rollBack() {
    // A book is on the disk before anybody is charged by it.
    var coming: PriceBook?
    defer { ledger = durable }
    for (clock, latest, change) in changes[..<writtenChanges] {
      if case .publish(let book) = change { coming = book }
      if case .published = change, let book = coming {
        durable.publish(book)
        coming = nil
      }
      durable.tell(clock: clock, latest: latest)
      SimulationRun.apply(change, to: &durable)
    }
    if let coming { durable.publish(coming) }
    let quotes = ledger.quotes[durable.quotes.count...]
    for quote in quotes { durable.keep(quote) }
    changes.removeAll(keepingCapacity: true)
    writtenChanges = 0
  }

  // MARK: The disk

  func begin(idles: Bool) throws {
    guard pending == nil, moved.failure == nil else { return }
    let commit = try trying("the beginning of a commit") { () throws(StoreError) in try moved.begin(idles: idles) }
    guard let commit else { return }
    pending = (commit, changes.count, false)
    counts.commits += 1
    if control == .early { moved.finish(commit) }
    try look()
  }

  func write(_ writing: SimulationStep.Writing) throws {
    guard let (commit, changes, isWritten) = pending, !isWritten else { return }
    if case .fails = writing { return fail() }
    try trying("a commit") { () throws(StoreError) in try moved.write(commit) }
    written = commit.last
    writtenChanges = changes
    if case .failsOnceWritten = writing { return fail() }
    pending?.isWritten = true
  }

  private func fail() {
    pending = nil
    counts.failures += 1
    moved.fail(.inputOutput(path: path, reason: "simulated"))
  }

  func acknowledge() throws {
    guard let (commit, _, isWritten) = pending, isWritten else { return }
    pending = nil
    if control != .early { moved.finish(commit) }
    try expect("G3: durable", moved.durable == written, "entry \(moved.durable) is durable, and \(written) is written")
    if !isBehind, moved.last.value % 7 == 0 { try compareEntries() }
  }

  /// Makes everything durable.
  func commitAll() throws {
    try write(.succeeds)
    try acknowledge()
    while moved.durable < moved.last || changes.count > writtenChanges {
      try wait()
      try begin(idles: false)
      if pending == nil { break }
      try write(.succeeds)
      try acknowledge()
    }
    if moved.failure == nil { writtenChanges = changes.count }
  }

  /// Begins to count what a step waits for.
  func beginStep() { waits = 0 }

  private func wait() throws {
    waits += 1
    try expect("no end", waits < SimulationRun.mostWaits, "a step has waited for \(waits) commits, and does not end")
  }

  /// Commits in the middle of something that waits for it.
  private func pause() {
    hasPaused = true
    do {
      try wait()
      try write(.succeeds)
      try acknowledge()
      try begin(idles: false)
      try write(.succeeds)
      try acknowledge()
    } catch {
      // The store gives up waiting, and the step fails.
      failure = error as? Failure
      moved.fail(.stopped(reason: "\(error)"))
    }
  }

  /// Does something that may have to wait for commits: what it changed is on the disk only as far as commits went.
  func pausing(_ body: () throws -> Void) throws {
    (hasPaused, isBehind) = (false, true)
    defer { isBehind = false }
    do { try body() } catch { throw failure ?? error }
    isBehind = false
    if hasPaused { try commitAll() }
  }

  // MARK: Leaving

  /// The process dies; the store is opened anew, and is where the disk is.
  func crash() throws {
    moved.die()
    try dismissCallers()
    moved.abandon()
    isOpen = false
    pending = nil
    counts.crashes += 1
    try open()
  }

  /// The store is closed in order and opened.
  func reopen() throws {
    if moved.failure != nil { return try crash() }
    try write(.succeeds)
    try acknowledge()
    // What happens while it closes is committed; nobody is told of it in time.
    let changes = changes.count
    moved.close()
    isOpen = false
    written = moved.durable
    writtenChanges = changes
    try dismissCallers()
    counts.reopenings += 1
    try open()
  }

  /// Lets all callers of a store that has stopped come to their ends; they will ask again.
  private func dismissCallers() throws {
    runCallers()
    for caller in callers where caller.errand != nil {
      try expect("G10: waiter", caller.result != nil, "caller \(caller.number) waits for a store that has stopped")
      if case .requests(let requests, _, _) = caller.errand { lost = (lost + requests.prefix(4)).suffix(32) }
      caller.end()
    }
  }

  private func open() throws {
    opening += 1
    provider.forgetCallers()
    claims.removeAll()
    isPublishing = false
    do throws(StoreError) { store = try CreditStore.open(at: path, settings: settings) } catch {
      throw Failure(kind: "G3: opening", reason: "the store cannot be opened: \(error)")
    }
    isOpen = true
    moved = store.simulated
    try expect(
      "G3: lost", moved.last >= acknowledged,
      "entry \(acknowledged) was acknowledged, and the journal ends at \(moved.last)")
    try expect("G3: end", moved.last == written, "the journal ends at \(moved.last), and \(written) was written")
    rollBack()
    try expect(
      "G3: whole", ledger.last == written, "\(written) entries are written, and a request ends at \(ledger.last)")
    if isAmnesiac { moved.forgetRequests() }
    try expect("G4: time", moved.time >= ledger.recorded, "time went back to \(moved.time) from \(ledger.recorded)")
    lastTime = moved.time
    mostResident = max(moved.stripeLimit, moved.residentCount)
    try look()
    try expect("prices", store.priceBooks == ledger.prices.books, "the price books are others than before")
    try compareEntries()
    for id in profile.accounts { try checkAccount(id) }
    try checkMoney()
  }
}
