internal import LMDB
internal import Logging
internal import Synchronization

/// The parts of an open store, put together: database, ledger, queue, committer and clockwork.
final class Engine: Sendable {
  let database: Database
  let ledger: Ledger
  let queue: FrameQueue
  let keeper: TimeKeeper
  let followers = Followers()
  let consumers: Consumers
  let prices: Prices
  /// Tells when entries have become durable.
  let commitSignal = Signal()
  /// Whether nothing is sent to the payment provider, as the store is a copy of another one.
  let isPaused: Atomic<Bool>
  /// What the store is.
  let identity: Meta.Identity
  let view: JournalView
  let key: HashKey
  let clockwork: Clockwork
  /// The charges that somebody is taking a step further.
  let claims: Locked<Set<ChargeKey>> = Locked([])
  let logger: Logger
  private let folder: StoreFolder
  private let settings: Settings
  private let counters = Counters()
  let committer: Committer
  private let threads: [Worker]
  private let closing = Locked(false)
  private let replayed: UInt64

  init(path: String, settings: Settings) throws(StoreError) {
    if let complaint = settings.complaint { throw .invalidArgument(complaint) }
    self.settings = settings
    logger = settings.logger
    folder = StoreFolder(path)
    if try folder.contents() != .store {
      guard settings.creation == .ifMissing else { throw .notFound(path: path) }
      try Engine.create(folder, settings: settings)
    }
    try folder.lock()
    let database = try Database(
      path: path, mapSize: settings.mapSize, access: .readWrite, durability: settings.durability)
    do throws(StoreError) {
      let identity = try database.read { (transaction) throws(StoreError) -> Meta.Identity? in
        try Meta.identity(in: transaction, database)
      }
      guard let identity else { throw .notAStore(path: path, reason: "it has no identity record") }
      key = identity.key
      self.identity = identity
      if settings.durability == .synced { try Engine.makeDurable(database) }
      isPaused = Atomic(try Engine.findPause(database, folder))
      consumers = try Consumers(database)
      prices = try Prices(database)
      var recovery = Recovery(database: database, settings: settings)
      try recovery.findEnds()
      let key = identity.key
      queue = FrameQueue(next: recovery.result.next, settings: settings)
      ledger = try Ledger(
        key: key, residentAccounts: settings.residentAccounts,
        window: try RequestWindow(requests: settings.rememberedRequests), queue: queue,
        readImage: { (account) throws(StoreError) in try database.image(of: account, hash: key.hash(account)) })
      ledger.window.forget(upTo: recovery.result.forgotten, before: recovery.result.forgottenTime)
      try recovery.replay(into: ledger)
      keeper = TimeKeeper(clock: settings.clock, limit: settings.clockJump, latest: recovery.result.latest)
      keeper.accept()
      replayed = recovery.result.replayed
      for account in try database.accountsWithCharges() { ledger.openCharges.note(account, isOpen: true) }
      ledger.startTimers()
      committer = Committer(
        database: database, ledger: ledger, queue: queue, keeper: keeper, followers: followers, consumers: consumers,
        commitSignal: commitSignal, settings: settings, recovered: recovery.result, counters: counters)
    } catch {
      database.close()
      throw error
    }
    self.database = database
    let prices = self.prices
    view = JournalView(database: database, prices: { prices.table })
    clockwork = Clockwork(database: database, ledger: ledger, queue: queue, keeper: keeper, settings: settings)
    let (committer, clockwork) = (self.committer, self.clockwork)
    do throws(StoreError) {
      let ticking = settings.clock.isManual ? nil : clockwork
      threads = settings.simulation == nil ? try Engine.start(committer, ticking, path) : []
    } catch {
      database.close()
      throw error
    }
    folder.tellExposure(to: logger)
    settings.logger.debug(
      "opened",
      metadata: ["path": "\(path.escapedForTerminal)", "next": "\(queue.last.value + 1)", "replayed": "\(replayed)"])
  }

  /// Starts the threads, all or none.
  private static func start(_ committer: Committer, _ clockwork: Clockwork?, _ path: String) throws(StoreError)
    -> [Worker]
  {
    let refusal = StoreError.inputOutput(path: path, reason: "the system gives the store no thread")
    guard let commits = Worker({ committer.run() }) else { throw refusal }
    guard let clockwork else { return [commits] }
    guard let ticks = Worker({ clockwork.run() }) else {
      committer.stop()
      commits.join()
      throw refusal
    }
    return [commits, ticks]
  }

  /// Makes a store in a folder beside its place and moves it there when it is whole and synced.
  private static func create(_ folder: StoreFolder, settings: Settings) throws(StoreError) {
    let temporary = try folder.makeTemporary()
    do throws(StoreError) {
      let database = try Database(
        path: temporary, mapSize: settings.mapSize, access: .readWrite, durability: .synced)
      defer { database.close() }
      let identity = Meta.Identity(
        store: settings.simulation?.store ?? RequestID(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max)),
        key: settings.simulation?.key ?? .random(), created: settings.clock.now)
      do throws(LMDBError) {
        var transaction = try database.environment.beginWrite()
        try Meta.write(identity, to: &transaction, database.meta)
        try transaction.commit()
      } catch { throw StoreError(error, at: folder.path) }
    } catch {
      StoreFolder.remove(temporary)
      throw error
    }
    do throws(StoreError) {
      if try folder.adopt(temporary) { return }
    } catch {
      StoreFolder.remove(temporary)
      throw error
    }
    // Another process has been faster: its store is there, and the lock says who has it.
    StoreFolder.remove(temporary)
    guard try folder.contents() == .store else { throw .notFound(path: folder.path) }
  }

  /// Makes sure that all that can be read of a store is on the disk.
  ///
  /// A process that was killed in a commit may have left it to the operating system alone: answers that are read from
  /// it would not be durable.
  private static func makeDurable(_ database: Database) throws(StoreError) {
    do throws(LMDBError) { try database.environment.sync() } catch { throw database.storeError(error) }
  }

  /// Compares the data file with what it was when the store was last opened here; answers whether charges are paused.
  ///
  /// A copy of a store would charge again what the original has charged: it waits until somebody says otherwise. A copy
  /// is another file; an older one that was put in the place of the store's own was opened fewer times than the folder
  /// says. A store that was just made, copied or moved may still lose its name in a power cut: once its file is noted,
  /// it does not.
  private static func findPause(_ database: Database, _ folder: StoreFolder) throws(StoreError) -> Bool {
    var file = try folder.file()
    let (known, isPaused) = try database.read { (transaction) throws(StoreError) -> (Meta.File?, Bool) in
      (try Meta.file(in: transaction, database), try Meta.isPaused(in: transaction, database))
    }
    let isKnown = known.map { $0.number == file.number && $0.born == file.born } ?? false
    let isCopy = known != nil && (!isKnown || known?.openings ?? 0 < folder.openings)
    if !isKnown {
      do throws(StoreError) { try folder.synchronizeName() } catch {
        // Whoever copied or moved it into a folder that this user may not read has to see to that.
        guard known != nil, case .permissionDenied = error else { throw error }
      }
    }
    file.openings = max(known?.openings ?? 0, folder.openings) + 1
    do throws(LMDBError) {
      var transaction = try database.environment.beginWrite()
      try Meta.write(file, to: &transaction, database.meta)
      if isCopy { try Meta.writePause(to: &transaction, database.meta) }
      try transaction.commit()
    } catch { throw database.storeError(error) }
    try folder.note(openings: file.openings)
    return isPaused || isCopy
  }

  /// Lets charges be sent again.
  func resumeCharges() async throws(StoreError) {
    try await queue.write([Meta.resume])
    isPaused.store(false, ordering: .releasing)
    ledger.openCharges.signal.send()
  }

  /// Ends the threads in order and closes the files. Further calls do nothing.
  func close() {
    let isFirst = closing.withLock { isClosing in
      defer { isClosing = true }
      return !isClosing
    }
    guard isFirst else { return }
    clockwork.stop()
    if threads.count > 1 { threads[1].join() }
    committer.stop()
    if let thread = threads.first { thread.join() } else { committer.run() }
    leave()
  }

  /// Leaves the store as it is on the disk, as if the process had died. For simulations: it has no threads.
  func abandon() {
    closing.withLock { $0 = true }
    leave()
  }

  private func leave() {
    followers.finish()
    commitSignal.finish()
    ledger.openCharges.signal.finish()
    database.close()
    folder.unlock()
  }

  /// Throws unless the store is open and running.
  func checkOpen() throws(StoreError) { try queue.check() }

  var isRunning: Bool { queue.state == .running }

  // MARK: Requests

  /// Decides a debit if that takes no more than memory.
  ///
  /// A synchronous function of its own, so that no reference is counted on the way: counts that all threads share would
  /// cost more than the decision.
  @inline(never) func shortDebit(_ debit: Debit) throws(StoreError) -> Answer? {
    guard case .answered(let answer) = ledger.debit(debit, at: try keeper.now()) else { return nil }
    return answer
  }

  /// Decides a debit, whatever it takes: bringing the account into memory, waiting for room, confirming a repetition.
  @inline(never) func debit(_ debit: Debit) async throws(StoreError) -> Answer {
    let command = debit.command
    return try await settle(command, debit.account, debit.request) { (now, seen, absent) in
      guard let absent else { return self.ledger.debit(debit, at: now, besides: seen) }
      return self.ledger.submit(
        command, to: debit.account, request: debit.request, at: now, besides: seen, absent: absent)
    }
  }

  /// Decides any command.
  func answer(
    _ command: Command, _ account: AccountID, _ request: RequestID, _ acknowledge: Acknowledgement = .durable
  ) async throws(StoreError) -> Answer {
    let answer = try await settle(command, account, request) { (now, seen, absent) in
      self.ledger.submit(command, to: account, request: request, at: now, besides: seen, absent: absent)
    }
    if acknowledge == .durable, let sequence = answer.sequence { try await queue.waitUntilDurable(sequence) }
    return answer
  }

  /// What is recorded of a request, if the window knows it.
  func record(of request: RequestID, _ account: AccountID) async throws(StoreError) -> Record? {
    var seen: [SequenceNumber] = []
    while let sequence = ledger.find(request, of: account, besides: seen) {
      try await queue.waitUntilDurable(sequence)
      let record = try view.record(sequence)
      if record.entry.account == account, record.entry.request == request { return record }
      // Another request with the same fingerprint: look for further ones.
      seen.append(sequence)
    }
    return nil
  }

  /// Does what no request asks for, a step of a charge, and waits until it is durable.
  func act(_ command: Command, on account: AccountID) async throws(StoreError) {
    let answer = try await settle(command, account, .none) { (now, _, absent) in
      absent == nil ? self.ledger.act(command, on: account, at: now) : .answered(.notRecorded(.unknownAccount, at: now))
    }
    if let sequence = answer.sequence { try await queue.waitUntilDurable(sequence) }
  }

  /// Decides any other verb, and throws where it is denied.
  func change(
    _ command: Command, _ account: AccountID, _ request: RequestID, _ acknowledge: Acknowledgement = .durable
  ) async throws(StoreError) -> Receipt {
    let answer = try await answer(command, account, request, acknowledge)
    switch answer {
    case .done(let receipt): return receipt
    case .denied(let denial):
      // The window may have forgotten the opening, which the account has not.
      if case .alreadyOpen(let sequence) = denial.reason, case .open(let label) = command {
        return try reopening(account, label, sequence, at: denial.time)
      }
      throw .denied(denial)
    }
  }

  /// The answer to opening an account again: that of the first time, unless the label is another one.
  private func reopening(
    _ account: AccountID, _ label: String, _ sequence: SequenceNumber, at now: Timestamp
  ) throws(StoreError) -> Receipt {
    guard try view.label(of: account) ?? "" == label else {
      throw .denied(Denial(reason: .alreadyOpen(by: sequence), sequence: nil, time: now, isReplay: false))
    }
    return Receipt(sequence: sequence, time: now, amount: 0, balance: 0, isReplay: true)
  }

  /// Tries a decision until it is answered.
  private func settle(
    _ command: Command, _ account: AccountID, _ request: RequestID,
    _ decide: (Timestamp, [SequenceNumber], UInt64?) -> Ledger.Decision
  ) async throws(StoreError) -> Answer {
    var seen: [SequenceNumber] = []
    var absent: UInt64?
    while true {
      let now = try keeper.now()
      switch decide(now, seen, absent) {
      case .answered(let answer): return answer
      case .full:
        try checkOpen()
        try await queue.waitForRoom()
      case .cold:
        try checkOpen()
        switch try ledger.load(account, at: now) {
        case .resident: absent = nil
        case .absent(let evictions): absent = evictions
        case .crowded: try await queue.waitForRoom()
        }
      case .seen(let sequence):
        try await queue.waitUntilDurable(sequence)
        let record = try view.record(sequence)
        guard record.entry.account == account, record.entry.request == request else {
          // Another request with the same fingerprint: look for further ones.
          seen.append(sequence)
          continue
        }
        guard command.matches(record, in: prices.table) else {
          return .notRecorded(.conflict(with: sequence), at: now)
        }
        return Answer(record, at: sequence, isReplay: true)
      }
    }
  }

  // MARK: Reading

  @inline(never) func balance(of account: AccountID) throws(StoreError) -> Balance? {
    let now = keeper.approximate
    if let balance = ledger.balance(of: account, at: now) { return balance }
    return try cold(account, at: now)?.balance
  }

  /// The state of an account that was not in memory a moment ago.
  @inline(never) func cold(_ account: AccountID, at now: Timestamp) throws(StoreError) -> Account? {
    while true {
      try checkOpen()
      switch try ledger.load(account, at: now) {
      case .resident: if let state = ledger.account(account, at: now) { return state }
      case .absent: return nil
      case .crowded:
        // No space in memory: what is on disk is this account's state, since dirty accounts never leave memory.
        guard let image = try database.image(of: account, hash: key.hash(account)) else { return nil }
        return ledger.account(account, at: now) ?? ledger.settled(image.account, at: now)
      }
    }
  }

  @inline(never) func coldSpendable(_ account: AccountID) throws(StoreError) -> Amount? {
    try cold(account, at: keeper.approximate).map { $0.status == .open ? $0.available : .zero }
  }

  func summary(of account: AccountID) throws(StoreError) -> AccountSummary? {
    guard let state = try state(of: account) else { return nil }
    return AccountSummary(state, label: try view.label(of: account), at: keeper.approximate)
  }

  /// The whole state of an account, with what time has done by itself; nil if it was never opened.
  func state(of account: AccountID) throws(StoreError) -> Account? {
    try checkOpen()
    let now = keeper.approximate
    if let state = ledger.account(account, at: now) { return state }
    return try cold(account, at: now)
  }

  func follow(_ account: AccountID, _ continuation: AsyncStream<Balance>.Continuation) -> UInt64 {
    ledger.follow(account, by: 1)
    return followers.add(account, continuation)
  }

  func unfollow(_ account: AccountID, _ number: UInt64) {
    followers.remove(number)
    ledger.follow(account, by: -1)
  }

  // MARK: Operations

  func trim(before time: Timestamp) async throws(StoreError) -> Trimmed {
    try checkOpen()
    return try await committer.trim(before: time)
  }

  func statistics() throws(StoreError) -> Statistics {
    try checkOpen()
    return try database.statistics(
      last: queue.durable, resident: ledger.residentCount, windowBytes: ledger.window.bytes, counters: counters,
      replayed: replayed)
  }
}
