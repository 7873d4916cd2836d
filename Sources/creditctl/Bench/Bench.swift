import Credits
import Glibc

/// Measures targets one after the other and collects their figures.
struct Bench {
  let command: BenchCommand
  let path: String
  private(set) var figures: [Figure] = []
  private var run = 0

  init(command: BenchCommand, path: String) {
    self.command = command
    self.path = path
  }

  mutating func measure(_ target: BenchTarget) async throws {
    Output.note("\(target.rawValue.uppercased())  \(target.title); to reach: \(target.goal)")
    switch target {
    case .p1, .p5: try await batches(target)
    case .p2: try await singles(target)
    case .p3: try await oneCaller(target)
    case .p4: try await applied(target)
    case .p6: try await reads(target)
    case .p7: try await openings(target)
    case .p8: try await memory(target)
    case .p9: try await sweep(target)
    case .p10: try await scaling(target)
    }
  }

  /// Removes everything that was made.
  func removeAll() {
    for name in ["store", "bare"] { remove(name) }
    unsafe rmdir(path)
  }

  private func remove(_ name: String) {
    for file in ["data.mdb", "lock.mdb", "writer.lock"] { unsafe unlink("\(path)/\(name)/\(file)") }
    unsafe rmdir("\(path)/\(name)")
  }

  private func settings(_ adjust: (inout Settings) -> Void = { _ in }) -> Settings {
    var settings = Settings()
    settings.residentAccounts = max(settings.residentAccounts, command.accounts * 5 / 4)
    settings.durability = command.unsynced ? .unsynced : .synced
    adjust(&settings)
    return settings
  }

  /// Makes a store full of accounts, lets it settle, does some work and removes it.
  private func withLoad(
    accounts: Int? = nil, _ settings: Settings? = nil, _ work: (inout Load) async throws -> Void
  ) async throws {
    let accounts = accounts ?? command.accounts
    let store = try CreditStore.open(at: path + "/store", settings: settings ?? self.settings())
    try await Load.fill(store, accounts: accounts)
    let spread: Distribution = command.distribution == "zipfian" ? .zipfian(accounts) : .uniform(accounts)
    var load = Load(store: store, distribution: spread, run: 0)
    _ = try await load.batches(callers: 2, size: 8_192, seconds: min(1, command.seconds))
    do {
      try await work(&load)
    } catch {
      try? await store.close()
      remove("store")
      throw error
    }
    try await store.close()
    remove("store")
  }

  private mutating func note(_ figure: Figure) {
    figures.append(figure)
    Output.note("    \(figure.name): \(Figure.format(figure.median)) \(figure.unit)")
  }

  private mutating func batches(_ target: BenchTarget) async throws {
    if figures.contains(where: { $0.target == target }) { return }
    var rates = Figure(target: .p1, name: "debits", unit: "/s") { $0 >= 3_000_000 }
    var bytes = Figure(target: .p5, name: "bytes per debit", unit: "bytes") { $0 < 130 }
    var cpu = Figure(target: .p1, name: "processor time", unit: "ns/debit")
    try await withLoad { load in
      for _ in 0..<command.runs {
        load.run += 1
        sync()
        let before = Machine.bytesWritten(under: path)
        let result = try await load.batches(callers: command.callers, size: 8_192, seconds: command.seconds)
        sync()
        if let before, let after = Machine.bytesWritten(under: path) {
          bytes.values.append(Double(after - before) / Double(result.debits))
        }
        rates.add(result.rate, result)
        cpu.add(result.ownSeconds / Double(result.debits) * 1e9, result)
      }
    }
    bytes.others = rates.others
    note(rates)
    note(cpu)
    if !bytes.values.isEmpty { note(bytes) }
  }

  private mutating func singles(_ target: BenchTarget) async throws {
    try await withLoad { load in
      for (name, executor) in [("request executor", RequestExecutor()), ("default executor", nil)] {
        var rates = Figure(target: target, name: "debits, \(name)", unit: "/s") { $0 >= 1_000_000 }
        let latencies = Latencies()
        for _ in 0..<command.runs {
          load.run += 1
          let result = try await load.singles(
            callers: 8_192, seconds: command.seconds, sampling: 16, histogram: latencies, executor: executor)
          rates.add(result.rate, result)
        }
        note(rates)
        for percentile in [50, 99, 99.9] {
          var figure = Figure(target: target, name: "latency p\(percentile.fixed(1)), \(name)", unit: "ms")
          figure.values = [await latencies.nanoseconds(percentile) / 1e6]
          note(figure)
        }
      }
    }
  }

  private mutating func oneCaller(_ target: BenchTarget) async throws {
    var ratio = Figure(target: target, name: "ratio of medians", unit: "x") { $0 <= 1.3 }
    var store = Figure(target: target, name: "a debit, median", unit: "µs")
    var bare = Figure(target: target, name: "a bare commit of 144 bytes, median", unit: "µs")
    try await withLoad(accounts: 10_000) { load in
      let other = try BareCommits(path: path + "/bare")
      for _ in 0..<command.runs {
        load.run += 1
        let latencies = Latencies()
        let result = try await load.singles(callers: 1, seconds: command.seconds / 2, histogram: latencies)
        let median = await latencies.nanoseconds(50)
        let bareMedian = try await Task.detached { [seconds = command.seconds] in
          try other.median(seconds: seconds / 2)
        }.value
        store.add(median / 1e3, result)
        bare.add(bareMedian / 1e3, result)
        ratio.add(median / bareMedian, result)
      }
      other.close()
    }
    remove("bare")
    note(ratio)
    note(store)
    note(bare)
  }

  private mutating func applied(_ target: BenchTarget) async throws {
    var rates = Figure(target: target, name: "debits", unit: "/s") { $0 >= 5_000_000 }
    var one = Figure(target: target, name: "debits, one caller", unit: "/s")
    var median = Figure(target: target, name: "a call, median with its clock reading", unit: "ns") { $0 < 500 }
    try await withLoad { load in
      for _ in 0..<command.runs {
        load.run += 1
        let result = try await load.singles(callers: 2, seconds: command.seconds, acknowledge: .applied)
        rates.add(result.rate, result)
        load.run += 1
        let latencies = Latencies()
        let alone = try await load.singles(
          callers: 1, seconds: command.seconds, acknowledge: .applied, sampling: 64, histogram: latencies)
        one.add(alone.rate, alone)
        median.add(await latencies.nanoseconds(50), alone)
      }
    }
    note(rates)
    note(one)
    note(median)
  }

  private mutating func reads(_ target: BenchTarget) async throws {
    var rates = Figure(target: target, name: "reads", unit: "/s") { $0 >= 10_000_000 }
    var few = Figure(target: target, name: "reads, 1,000 accounts of them", unit: "/s") { $0 >= 10_000_000 }
    try await withLoad { load in
      for _ in 0..<command.runs {
        for isFew in [false, true] {
          let spread = isFew ? .uniform(1_000) : load.distribution
          let result = try await load.reads(seconds: command.seconds / 2, spread)
          if isFew { few.add(result.rate, result) } else { rates.add(result.rate, result) }
        }
      }
    }
    note(rates)
    note(few)
  }

  /// Makes a store with many accounts, in a process of its own, whose memory is not measured, and with room for all.
  ///
  /// Without room, each new account would move another one out, to a page of its own.
  private func fillMany() throws {
    try ChildProcess.fill(path + "/store", accounts: command.manyAccounts)
  }

  private mutating func openings(_ target: BenchTarget) async throws {
    var clean = Figure(target: target, name: "opening after a clean close", unit: "ms") { $0 < 100 }
    var replay = Figure(target: target, name: "replaying, per 10,000,000 entries", unit: "s") { $0 < 4 }
    let folder = path + "/store"
    let few = settings()
    try fillMany()
    var store: CreditStore
    for _ in 0..<command.runs {
      let start = ContinuousClock.now
      store = try CreditStore.open(at: folder, settings: few)
      clean.values.append((ContinuousClock.now - start).seconds * 1e3)
      try await store.close()
    }
    note(clean)
    // A process that debits without a checkpoint and kills itself leaves all of its entries to be replayed.
    for run in 0..<command.runs {
      try ChildProcess.debitAndDie(folder, accounts: command.accounts, debits: 10_000_000, run: run + 1)
      let start = ContinuousClock.now
      store = try CreditStore.open(at: folder, settings: few)
      let seconds = (ContinuousClock.now - start).seconds
      let replayed = try store.statistics().replayed
      replay.values.append(seconds * 1e7 / Double(max(1, replayed)))
      try await store.close()
    }
    remove("store")
    note(replay)
  }

  private mutating func memory(_ target: BenchTarget) async throws {
    var memory = Figure(target: target, name: "resident memory", unit: "MiB") { $0 < 400 }
    try fillMany()
    let before = Machine.ownMemory
    let store = try CreditStore.open(at: path + "/store", settings: settings { $0.residentAccounts = 1_000_000 })
    var load = Load(store: store, distribution: .uniform(command.manyAccounts), run: 0)
    // Until memory is as full as it gets.
    while try store.statistics().residentAccounts < min(1_000_000, command.manyAccounts) * 19 / 20, load.run < 1_000 {
      load.run += 1
      _ = try await load.batches(callers: 2, size: 1_024, seconds: 1)
    }
    for _ in 0..<command.runs {
      load.run += 1
      let result = try await load.batches(callers: 2, size: 1_024, seconds: command.seconds)
      memory.add(Double(Machine.ownMemory - before) / 1_048_576, result)
    }
    try await store.close()
    remove("store")
    note(memory)
  }

  private mutating func sweep(_ target: BenchTarget) async throws {
    var ratio = Figure(target: target, name: "p99.9 with / without", unit: "x") { $0 <= 2 }
    var tails: [[Double]] = [[], []]
    for isSwept in [true, false] {
      let pace = settings { $0.checkpointEntries = isSwept ? 2_000_000 : 1_000_000_000_000 }
      try await withLoad(pace) { load in
        for _ in 0..<command.runs {
          load.run += 1
          let latencies = Latencies()
          _ = try await load.singles(callers: 1_024, seconds: command.seconds, sampling: 4, histogram: latencies)
          tails[isSwept ? 0 : 1].append(await latencies.nanoseconds(99.9) / 1e6)
        }
      }
    }
    ratio.values = zip(tails[0].sorted(), tails[1].sorted()).map { $0 / $1 }
    note(ratio)
    for (name, values) in [("p99.9 with the sweep", tails[0]), ("p99.9 without", tails[1])] {
      var figure = Figure(target: target, name: name, unit: "ms")
      figure.values = values
      note(figure)
    }
  }

  private mutating func scaling(_ target: BenchTarget) async throws {
    var cores = Figure(target: target, name: "two cores / one", unit: "x") { $0 > 1 }
    var size = Figure(target: target, name: "all accounts / a hundredth", unit: "x") { $0 > 0.5 }
    var rates: [Double] = []
    for isSmall in [true, false] {
      try await withLoad(accounts: isSmall ? max(1_000, command.accounts / 100) : command.accounts) { load in
        for _ in 0..<command.runs {
          load.run += 1
          let result = try await load.batches(callers: command.callers, size: 8_192, seconds: command.seconds)
          if isSmall { rates.append(result.rate) } else { size.add(result.rate, result) }
          guard !isSmall else { continue }
          load.run += 1
          let one = try await Affinity.onOneCore {
            try await load.batches(callers: command.callers, size: 8_192, seconds: command.seconds)
          }
          cores.add(result.rate / one.rate, one)
        }
      }
    }
    size.values = zip(size.values.sorted(), rates.sorted()).map { $0 / $1 }
    note(cores)
    note(size)
  }
}

extension Figure {
  /// Adds a run's value.
  mutating func add(_ value: Double, _ result: Load.Result) {
    values.append(value)
    others.append(result.otherSeconds / result.seconds * 100)
  }
}
