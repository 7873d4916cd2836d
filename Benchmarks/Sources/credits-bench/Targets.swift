import Credits
import Foundation
import Harness
import Peers

/// Measures targets one after the other and collects their figures.
struct Targets {
  let command: TargetsCommand
  let path: String
  private(set) var figures: [Figure] = []
  private(set) var notes: [String] = []
  /// What the limits are compared with: the batches of p1.
  private var full: Runs?
  private var bytesPerCommit = 1 << 20

  init(command: TargetsCommand, path: String) {
    self.command = command
    self.path = path
  }

  private var seconds: Double { command.common.seconds }
  private var repetition: Repetition { command.common.repetition }
  private var folder: String { path + "/store" }

  mutating func measure(_ target: Target) async throws {
    note("\(target.rawValue.uppercased())  \(target.title)")
    switch target {
    case .p1, .p5: try await batches()
    case .p2: try await singles()
    case .p3: try await oneCaller()
    case .p4: try await applied()
    case .p6: try await reads()
    case .p7: try await openings()
    case .p8: try await memory()
    case .p9: try await sweep()
    case .p10: try await scaling()
    }
  }

  private func settings(_ adjust: (inout Settings) -> Void = { _ in }) -> Settings {
    var settings = Settings()
    settings.residentAccounts = max(settings.residentAccounts, command.accounts * 5 / 4)
    settings.durability = command.unsynced ? .unsynced : .synced
    adjust(&settings)
    return settings
  }

  private func remove() { try? FileManager.default.removeItem(atPath: folder) }

  /// Makes a store full of accounts, warms it up, does some work and removes it.
  private func withLoad(
    accounts: Int? = nil, _ settings: Settings? = nil, _ work: (inout Load) async throws -> Void
  ) async throws {
    let accounts = accounts ?? command.accounts
    let store = try CreditStore.open(at: folder, settings: settings ?? self.settings())
    defer { remove() }
    try await Load.fill(store, accounts: accounts)
    let spread = Distribution(command.distribution, accounts: accounts)
    var load = Load(store: store, distribution: spread, folder: path, run: 0)
    _ = try await load.measure(Shape(callers: 2, batch: 8_192), seconds: command.common.warmUp, countsBytes: false)
    do {
      try await work(&load)
    } catch {
      try? await store.close()
      throw error
    }
    try await store.close()
  }

  private mutating func add(
    _ target: Target, _ name: String, _ unit: String, _ spread: Spread, _ goal: Goal? = nil,
    _ runs: Runs? = nil
  ) {
    let figure = Figure(
      group: target.rawValue.uppercased(), name: name, unit: unit, spread: spread,
      othersPercent: runs?.othersPercent ?? [], isDisturbed: runs?.isDisturbed ?? false, goal: goal?.text,
      isReached: goal.map { $0.isReached(spread.median) })
    figures.append(figure)
    note("    \(name): \(spread.median.short) \(unit)")
  }

  private func runs(_ load: inout Load, _ shape: Shape, countsBytes: Bool = false) async throws -> Runs {
    try await repetition.measure {
      load.run += 1
      return try await load.measure(shape, seconds: seconds, countsBytes: countsBytes)
    }
  }

  private mutating func batches() async throws {
    guard full == nil else { return }
    var measured: Runs?
    var perCommit = 0.0
    try await withLoad { load in
      let before = try load.store.statistics()
      let runs = try await runs(&load, Shape(callers: command.callers, batch: 8_192), countsBytes: true)
      let after = try load.store.statistics()
      perCommit = Double(after.entries - before.entries) / Double(max(1, after.commits - before.commits))
      measured = runs
    }
    guard let measured else { return }
    full = measured
    add(.p1, "debits", "/s", measured.spread(\.rate), .atLeast(3_000_000, "3,000,000"), measured)
    add(.p1, "processor time", "ns/debit", measured.spread(\.nanosecondsPerDebit))
    add(.p1, "entries in a commit", "", Spread([perCommit]))
    let bytes = measured.kept.compactMap(\.bytesPerDebit)
    guard !bytes.isEmpty else { return }
    bytesPerCommit = Int(perCommit * bytes.median)
    add(.p5, "bytes written", "bytes/debit", Spread(bytes), .below(130, "below 130"), measured)
  }

  /// What disk and memory allow by themselves, for the bytes that a debit came to.
  mutating func limits() throws {
    guard let full, let perDebit = full.kept.compactMap(\.bytesPerDebit).first else { return }
    note("Limits")
    let limits = try LimitFigures(
      folder: path, commitBytes: bytesPerCommit, seconds: seconds / 2, runs: command.common.runs)
    figures += limits.figures
    let rate = full.spread(\.rate).median
    let disk = limits.sequential / perDebit
    let lmdb = limits.lmdb / perDebit
    let memory = 1e9 / (2 * limits.access)
    notes.append(
      "At \(perDebit.short) bytes a debit the disk alone allows \(disk.short) debits/s in commits of the same size, and "
        + "LMDB on it \(lmdb.short)/s: P1 is at \((rate / disk * 100).fixed(0)) % and \((rate / lmdb * 100).fixed(0)) % of "
        + "these. Two dependent accesses to a table of that size cost \((2 * limits.access).short) ns, which allows "
        + "\(memory.short) debits/s to a core that does nothing else and fetches nothing ahead.")
  }

  private mutating func singles() async throws {
    var results: [(String, Runs)] = []
    try await withLoad { load in
      for (name, isOwn) in [("request executor", true), ("default executor", false)] {
        let shape = Shape(callers: 8_192, sampling: 16, isOnRequestExecutor: isOwn)
        results.append((name, try await runs(&load, shape)))
      }
    }
    for (name, runs) in results {
      add(.p2, "debits, \(name)", "/s", runs.spread(\.rate), .atLeast(1_000_000, "1,000,000"), runs)
      for (label, percentile) in [("p50", 50), ("p99", 99), ("p99.9", 99.9), ("p99.99", 99.99)] {
        add(.p2, "latency \(label), \(name)", "ms", Spread([runs.latencies.nanoseconds(percentile) / 1e6]))
      }
    }
  }

  private mutating func oneCaller() async throws {
    var bare: [Double] = []
    var measured: Runs?
    try await withLoad(accounts: 10_000) { load in
      let other = try PlainLMDB(folder: path + "/bare")
      defer { other.close() }
      // As many bytes as a block of one debit has, and the key. In turn, so that the disk's moods meet both.
      measured = try await repetition.measure {
        load.run += 1
        let run = try await load.measure(Shape(), seconds: seconds / 2, countsBytes: false)
        bare.append(try other.appends(of: 144, values: 1, seconds: seconds / 2).latencies.nanoseconds(50) / 1e3)
        return run
      }
    }
    guard let measured else { return }
    let own = measured.spread { $0.latencies.nanoseconds(50) / 1e3 }
    add(.p3, "ratio of medians", "x", Spread([own.median / bare.median]), .atMost(1.3, "1.3"), measured)
    add(.p3, "a debit, median", "µs", own)
    add(.p3, "a bare commit of 144 bytes, median", "µs", Spread(bare))
  }

  private mutating func applied() async throws {
    var two: Runs?
    var one: Runs?
    try await withLoad { load in
      two = try await runs(&load, Shape(callers: 2, acknowledge: .applied, sampling: 64))
      one = try await runs(&load, Shape(callers: 1, acknowledge: .applied, sampling: 64))
    }
    guard let two, let one else { return }
    add(.p4, "debits", "/s", two.spread(\.rate), .atLeast(5_000_000, "5,000,000"), two)
    add(.p4, "debits, one caller", "/s", one.spread(\.rate), nil, one)
    add(
      .p4, "a call, median with its clock reading", "ns", one.spread { $0.latencies.nanoseconds(50) },
      .below(500, "below 500"), one)
  }

  private mutating func reads() async throws {
    for (name, few) in [("reads", false), ("reads, 1,000 accounts of them", true)] {
      var measured: Runs?
      try await withLoad { load in
        let spread = few ? Distribution(.uniform, accounts: 1_000) : load.distribution
        measured = try await repetition.measure {
          let meter = Meter(folder: path, isSynced: false)
          let readers = Readers(load.store, spread, count: 1)
          try await Task.sleep(for: .seconds(seconds / 2))
          return meter.end(debits: try readers.end())
        }
      }
      guard let measured else { continue }
      add(.p6, name, "/s", measured.spread(\.rate), .atLeast(10_000_000, "10,000,000"), measured)
    }
  }

  private mutating func openings() async throws {
    try ChildProcess.fill(folder, accounts: command.manyAccounts)
    defer { remove() }
    let few = settings()
    let clean = try await repetition.measure { try await opening(few) }
    add(.p7, "opening after a clean close", "ms", clean.spread { $0.seconds * 1e3 }, .below(100, "below 100"), clean)
    // A process that debits without a checkpoint and kills itself leaves all of its entries to be replayed.
    var number = 0
    let killed = try await repetition.measure {
      number += 1
      try ChildProcess.debitAndDie(folder, accounts: command.accounts, debits: 10_000_000, run: number)
      return try await opening(few)
    }
    add(
      .p7, "replaying, per 10,000,000 entries", "s", killed.spread { $0.seconds * 1e7 / Double($0.debits) },
      .below(4, "below 4"), killed)
  }

  /// Opens the store and closes it again; the run is the opening, and its count the entries that were replayed.
  private func opening(_ settings: Settings) async throws -> Run {
    let meter = Meter(folder: path, isSynced: false)
    let store = try CreditStore.open(at: folder, settings: settings)
    let run = meter.end(debits: max(1, Int(try store.statistics().replayed)))
    try await store.close()
    return run
  }

  private mutating func memory() async throws {
    try ChildProcess.fill(folder, accounts: command.manyAccounts)
    defer { remove() }
    let before = Machine.memory()
    let store = try CreditStore.open(at: folder, settings: settings { $0.residentAccounts = 1_000_000 })
    let spread = Distribution(.uniform, accounts: command.manyAccounts)
    var load = Load(store: store, distribution: spread, folder: path, run: 0)
    let shape = Shape(callers: 2, batch: 1_024)
    // Until memory is as full as it gets.
    while try store.statistics().residentAccounts < min(1_000_000, command.manyAccounts) * 19 / 20, load.run < 1_000 {
      load.run += 1
      _ = try await load.measure(shape, seconds: 1, countsBytes: false)
    }
    let runs = try await runs(&load, shape)
    try await store.close()
    add(
      .p8, "memory", "MiB", runs.spread { Double($0.memory - before) / 1_048_576 }, .below(400, "below 400"), runs)
  }

  private mutating func sweep() async throws {
    var results: [Runs] = []
    // At its own pace, not at all, and eight times as fast.
    for pace in [Settings().checkpointEntries, 1_000_000_000_000, Settings().checkpointEntries / 8] {
      try await withLoad(settings { $0.checkpointEntries = pace }) { load in
        results.append(try await runs(&load, Shape(callers: 1_024, sampling: 4)))
      }
    }
    let tails = results.map { runs in runs.spread { $0.latencies.nanoseconds(99.9) / 1e6 } }
    add(.p9, "p99.9 with / without", "x", Spread([tails[0].median / tails[1].median]), .atMost(2, "2"), results[0])
    add(.p9, "p99.9 with the sweep", "ms", tails[0], nil, results[0])
    add(.p9, "p99.9 without", "ms", tails[1], nil, results[1])
    add(.p9, "p99.9 with a sweep eight times as fast", "ms", tails[2], nil, results[2])
  }

  private mutating func scaling() async throws {
    let shape = Shape(callers: command.callers, batch: 8_192)
    var results: [Runs] = []
    var one: Runs?
    for accounts in [max(1_000, command.accounts / 100), command.accounts] {
      try await withLoad(accounts: accounts) { load in
        results.append(try await runs(&load, shape))
        if accounts == command.accounts { one = try await Affinity.onOneCore { try await runs(&load, shape) } }
      }
    }
    guard let one else { return }
    let rates = results.map { $0.spread(\.rate).median }
    add(.p10, "two cores / one", "x", Spread([rates[1] / one.spread(\.rate).median]), .above(1, "above 1"), one)
    add(
      .p10, "all accounts / a hundredth", "x", Spread([rates[1] / rates[0]]), .above(0.5, "above 0.5"), results[1])
  }
}
