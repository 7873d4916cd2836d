import ArgumentParser
import Credits
import Foundation
import Harness
import Peers

struct PeersCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "peers",
    abstract: "Measure the store and its peers on the same work, side by side.",
    discussion: """
      Every debit checks and lowers a balance, has a request id that is checked for duplicates, and leaves a record. \
      Redis and PostgreSQL must run already; `make peers` starts and stops them.
      """)

  @OptionGroup var common: CommonOptions

  @Option(help: ArgumentHelp("The number of accounts.", valueName: "number"))
  var accounts: Int = 1_000_000

  @Option(help: "Measure only these, by names with commas: credits, lmdb, sqlite, rocksdb, redis, postgres.")
  var only: String?

  @Option(help: "Measure only durable or only relaxed answers.")
  var durability: PeerDurability?

  @Option(help: ArgumentHelp("The socket of a Redis that may be emptied.", valueName: "path"))
  var redisSocket: String?

  @Option(help: ArgumentHelp("The process of that Redis.", valueName: "number"))
  var redisProcess: Int32?

  @Option(
    help: ArgumentHelp("The folder of the socket of a PostgreSQL whose tables may be dropped.", valueName: "path"))
  var postgresSocket: String?

  @Option(help: ArgumentHelp("The process of that PostgreSQL.", valueName: "number"))
  var postgresProcess: Int32?

  @Option(help: ArgumentHelp("The user of that PostgreSQL.", valueName: "name"))
  var postgresUser: String = "postgres"

  private static let names = ["credits", "lmdb", "sqlite", "rocksdb", "redis", "postgres"]

  private var chosen: [String] { only?.split(separator: ",").map(String.init) ?? PeersCommand.names }

  func validate() throws {
    guard accounts >= 10_000 else { throw ValidationError("Accounts must be 10,000 or more.") }
    for name in chosen where !PeersCommand.names.contains(name) {
      throw ValidationError("There is no peer \(name); name some of \(PeersCommand.names.joined(separator: ", ")).")
    }
  }

  private var durabilities: [PeerDurability] { durability.map { [$0] } ?? PeerDurability.allCases }

  func run() async throws {
    try await common.inFolder { path in
      var report = common.report("Peers side by side", folder: path)
      var syncs: [(String, Double)] = []
      for name in chosen {
        // The disk's mood, so that a reader sees whether all met the same.
        let sync = try Limits.sequentialWrites(of: 4_096, in: path, seconds: 0.5).latencies.nanoseconds(50) / 1e3
        if name == "credits" {
          syncs.append((name, sync))
          report.rows += try await credits(path)
          continue
        }
        guard let peer = try peer(name, path) else {
          let text = "\(name) is skipped: its client is not built in, or its server does not run."
          report.notes.append(text)
          note(text)
          continue
        }
        syncs.append((name, sync))
        note("\(peer.name)")
        do {
          report.rows += try await measure(peer, path)
        } catch {
          report.notes.append("\(peer.name) failed: \(error)")
          note("    failed: \(error)")
        }
        peer.close()
        try? FileManager.default.removeItem(atPath: path + "/" + name)
      }
      report.notes += [
        "\(accounts.grouped) accounts, uniform; every debit has a record and a request id that is checked for duplicates. "
          + "Runs of \(common.seconds.short) s after a warm-up of \(common.warmUp.short) s. A queue in front is counted as "
          + "costing nothing, in the peers' favour. Processor time is that of client and server together; bytes are those "
          + "at the block device, sync to sync.",
        "Credits finds duplicates among the latest \(Settings().windowRequests.grouped) requests and those of the last 24 "
          + "hours, whichever is less; the peers among all.",
        "A sync of 4 KiB by itself, just before each: "
          + syncs.map { "\($0.0) \($0.1.short) µs" }.joined(separator: ", ") + ".",
      ]
      report.notes += PeersCommand.comparison(report.rows)
      try common.publish(report, name: "peers", charts: PeersCommand.charts(report.rows))
    }
  }

  /// A peer by its name; nil if it is not there.
  private func peer(_ name: String, _ path: String) throws -> (any Peer)? {
    let folder = path + "/" + name
    switch name {
    case "lmdb": return try LMDBPeer(folder: folder)
    #if canImport(CSQLite)
      case "sqlite": return try SQLitePeer(folder: folder)
    #endif
    #if canImport(CRocksDB)
      case "rocksdb": return try RocksDBPeer(folder: folder)
    #endif
    #if canImport(CHiredis)
      case "redis":
        if let redisSocket { return try RedisPeer(socket: redisSocket, server: redisProcess) }
    #endif
    #if canImport(CPostgres)
      case "postgres":
        if let postgresSocket {
          return try PostgresPeer(socketFolder: postgresSocket, user: postgresUser, server: postgresProcess)
        }
    #endif
    default: break
    }
    return nil
  }

  private func measure(_ peer: any Peer, _ path: String) async throws -> [Row] {
    let balance: Int64 = 1_000_000_000_000
    try peer.fill(accounts: accounts, balance: balance)
    let driver = PeerDriver(peer, Distribution(.uniform, accounts: accounts), folder: path)
    var rows: [Row] = []
    for durability in durabilities {
      for form in peer.forms {
        try driver.check(form, durability)
        _ = try driver.measure(form, durability, seconds: common.warmUp)
        let runs = try await common.repetition.measure {
          try driver.measure(form, durability, seconds: common.seconds)
        }
        let mode = durability == .durable ? "durable" : "relaxed: \(peer.relaxedMode)"
        rows.append(
          Row(
            name: peer.name, form: form.name, durability: mode,
            callers: form.sessions * (form.isBatch ? 1 : form.batch),
            batch: form.isBatch ? form.batch : 1, runs: runs))
        note("    \(form.name), \(form.callers), \(durability.rawValue): \(rows[rows.count - 1].rate.median.short)/s")
      }
    }
    try driver.checkTotal(accounts: accounts, balance: balance)
    return rows
  }

  private func credits(_ path: String) async throws -> [Row] {
    note("Credits")
    let folder = path + "/credits"
    var settings = Settings()
    settings.residentAccounts = max(settings.residentAccounts, accounts * 5 / 4)
    let store = try CreditStore.open(at: folder, settings: settings)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try await Load.fill(store, accounts: accounts)
    var load = Load(store: store, distribution: Distribution(.uniform, accounts: accounts), folder: path, run: 0)
    var rows: [Row] = []
    for durability in durabilities {
      for (callers, batch) in [(1, 1), (64, 1), (1_024, 1), (1, 8_192), (16, 8_192)] {
        var shape = Shape(callers: callers, batch: batch, isOnRequestExecutor: batch == 1 && callers > 1)
        shape.acknowledge = durability == .durable ? .durable : .applied
        if durability == .relaxed, batch == 1 { shape.sampling = 64 }
        load.run += 1
        _ = try await load.measure(shape, seconds: common.warmUp, countsBytes: false)
        let runs = try await common.repetition.measure {
          load.run += 1
          return try await load.measure(shape, seconds: common.seconds)
        }
        rows.append(
          Row(
            name: "Credits", form: batch > 1 ? "batches" : "a call a debit",
            durability: durability == .durable ? "durable" : "relaxed: applied", callers: callers, batch: batch,
            runs: runs))
        note("    \(callers) x \(batch), \(durability.rawValue): \(rows[rows.count - 1].rate.median.short)/s")
      }
    }
    try await store.close()
    return rows
  }
}

extension PeerDurability: ExpressibleByArgument {}

extension PeersCommand {
  /// The kinds of work that are compared.
  private static let kinds: [(name: String, belongs: @Sendable (Row) -> Bool)] = [
    ("a single caller", { $0.callers == 1 && $0.batch == 1 }),
    ("64 single calls", { $0.callers == 64 && $0.batch == 1 }),
    ("1,024 single calls", { $0.callers == 1_024 && $0.batch == 1 }),
    ("batches", { $0.batch > 1 }),
  ]

  /// How the store compares with the best peer, kind by kind, as lines of a table: with what there is, and with a peer
  /// before which a queue gathers single calls at no cost.
  static func comparison(_ rows: [Row]) -> [String] {
    var lines: [String] = []
    for mode in ["durable", "relaxed"] {
      for (name, belongs) in kinds {
        let rows = rows.filter { $0.durability.hasPrefix(mode) && belongs($0) }
        let peers = rows.filter { $0.name != "Credits" }
        guard let own = rows.filter({ $0.name == "Credits" }).map(\.rate.median).max(), !peers.isEmpty else { continue }
        let ideal = peers.filter { $0.form == PeerForm.idealQueue }
        var line = "| \(mode) | \(name) | \(own.short) |"
        for group in [peers.filter { $0.form != PeerForm.idealQueue }, ideal] {
          guard let best = group.max(by: { $0.rate.median < $1.rate.median }) else {
            line += " | | |"
            continue
          }
          let ratio = own / best.rate.median
          let form = group.first?.form == PeerForm.idealQueue ? "" : ", \(best.form)"
          line += " \(best.rate.median.short) | \(best.name)\(form) | \(ratio.fixed(ratio < 10 ? 2 : 0)) |"
        }
        lines.append(line)
      }
    }
    guard !lines.isEmpty else { return [] }
    let head =
      "| | Work | Credits, debits/s | Best peer, debits/s | Which | Times | Best with a free queue, debits/s | Which "
      + "| Times |\n| --- | --- | ---: | ---: | --- | ---: | ---: | --- | ---: |"
    return ["Against the best peer:", head + "\n" + lines.joined(separator: "\n")]
  }

  /// A chart of the durable throughput against the debits that are under way at once.
  static func charts(_ rows: [Row]) -> [(name: String, chart: Chart)] {
    let durable = rows.filter { $0.durability == "durable" }
    var names: [String] = []
    for row in durable where !names.contains(row.name) { names.append(row.name) }
    let series = names.map { name in
      let own = Dictionary(grouping: durable.filter { $0.name == name }) { $0.callers * $0.batch }
      let points = own.map { (x: Double($0.key), y: $0.value.map(\.rate.median).max() ?? 0) }
      return Chart.Series(name, points.sorted { $0.x < $1.x })
    }
    guard !series.isEmpty else { return [] }
    let chart = Chart(
      title: "Durable debits/s, the best form of each", x: .init("debits under way", isLogarithmic: true),
      y: .init("debits/s", isLogarithmic: true), series: series)
    return [("throughput", chart)]
  }
}
