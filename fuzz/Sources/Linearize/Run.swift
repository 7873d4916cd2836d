internal import Credits
internal import CreditsTesting
internal import Glibc
internal import Logging

/// One run: a store, many callers, and what they and the journal say of it.
struct Run {
  let profile: Profile
  let seed: UInt64
  /// The folder to work in.
  let folder: String

  /// Performs the run.
  func record() async throws -> History {
    Watchdog.begin(profile, seed)
    defer { Watchdog.end() }
    let path = "\(folder)/\(profile.name)-\(seed)"
    TemporaryStore.remove(path)
    defer { TemporaryStore.remove(path) }
    let start = profile.hasSystemClock ? Lane.wallTime : 1_800_000_000_000_000
    let plan = Plan(seed: seed, profile: profile, start: start)
    let clock = profile.hasSystemClock ? nil : StoreClock.Manual(Timestamp(microseconds: start))
    var history = History(plan: plan)
    let board = Board(profile.lanes)
    let till = Till(seed: seed)
    let threads = (0..<profile.threads).map { _ in RequestExecutor() }
    var lanes = (0..<profile.lanes).map { Lane($0, plan, board, clock) }
    var setup = Lane(profile.lanes, plan, board, clock)
    for phase in 0..<UInt64(profile.phases) {
      let store = try CreditStore.open(at: path, settings: settings(clock))
      if phase == 0 {
        try await store.publish(book)
        try await store.setCatalogue(
          Catalogue(
            packs: [Pack(credits: Amount(millionths: Plan.pack), price: Money(2_00, .usd))], custom: nil))
        try await setup.prepare(store)
      }
      let worker = Task { try await RefillWorker(store: store, gateway: till, interval: .milliseconds(20)).run() }
      let steps = phase * UInt64(profile.steps) + 1..<(phase + 1) * UInt64(profile.steps) + 1
      lanes = try await withThrowingTaskGroup(of: Lane.self) { group in
        for lane in lanes {
          let thread = lane.index / max(1, profile.callersOfThread)
          group.addTask(executorPreference: thread < threads.count ? threads[thread] : nil) {
            var lane = lane
            try await lane.run(steps, on: store)
            return lane
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      worker.cancel()
      try await worker.value
      try await store.tick()
      for account in 0..<profile.accounts { try setup.balance(account, on: store) }
      try await collect(store, into: &history)
      for index in lanes.indices { history.calls += lanes[index].takeCalls() }
      if phase + 1 == profile.phases, let problem = try await store.verify().problem {
        history.findings.append("the store does not verify: \(problem)")
      }
      try await store.close()
    }
    history.calls += setup.takeCalls()
    history.sent = till.sent
    history.findings += till.findings
    let credited = history.events.count { $0.kind == .credited }
    if till.paid < credited { history.findings.append("\(till.paid) charges were paid, and \(credited) credited") }
    return history
  }

  private var book: PriceBook {
    let rate = PriceBook.Rate(unit: "token", amount: Amount(millionths: Plan.price.unit))
    return PriceBook(
      "book", features: [PriceBook.Feature("chat", base: Amount(millionths: Plan.price.base), rates: [rate])])
  }

  private func settings(_ clock: StoreClock.Manual?) -> Settings {
    var settings = Settings()
    settings.mapSize = 16 << 30
    settings.residentAccounts = profile.resident
    settings.checkpointEntries = profile.checkpoint
    settings.frameKibibytes = 512
    settings.durability = profile.isSynced ? .synced : .unsynced
    settings.clockJump = .seconds(1_000_000_000)
    settings.logger = Logger(label: "linearize", factory: { _ in SwiftLogNoOpLogHandler() })
    if let clock { settings.clock = .manual(clock) }
    if profile.isForgetful {
      settings.windowRequests = 4_096
      settings.windowAge = .milliseconds(500)
      settings.retention = .age(.milliseconds(Int64(profile.steps) * 3 / 2))
    }
    return settings
  }

  /// Reads what the journal has got since the last time.
  private func collect(_ store: CreditStore, into history: inout History) async throws(StoreError) {
    try await store.sync()
    var next = (history.events.last?.sequence ?? 0) + 1
    var events: [Event] = []
    try store.forEachEntry(from: SequenceNumber(next)) { (entry) throws(StoreError) in
      // Accounts that are no account of the plan have no entries.
      events.append(Event(entry))
      guard entry.sequence.value == next else {
        throw .corrupt(what: "the journal", at: entry.sequence, reason: "entry \(next) is missing")
      }
      next += 1
      return true
    }
    history.events += events
  }
}
