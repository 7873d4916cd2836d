internal import Credits
internal import CreditsTesting
internal import Glibc
internal import LMDB
internal import Logging

/// A valid store to begin with, its rows, and what it answers.
struct StoreShape: Sendable {
  /// A row of a table.
  struct Row: Sendable, Hashable {
    var table: Int
    var key: [UInt8]
    var value: [UInt8]
  }

  /// The tables of a store, in the order in which rows name them.
  static let tables = ["journal", "accounts", "labels", "due", "meta", "charges", "prices", "consumers"]

  /// The store's data file.
  let file: [UInt8]
  let rows: [Row]
  /// What each account has after its last entry.
  let balances: [AccountID: Balance]
  /// The latest two requests of each account.
  let requests: [AccountID: [RequestID]]
  /// The time of the latest entry.
  let latest: Timestamp

  /// All shapes: fresh; with few accounts, closed; as a crash leaves it, with everything; closed, with everything;
  /// trimmed.
  static let all = Result {
    let thread = OneThread()
    return try thread.run { try await make(thread) }
  }

  /// Reads a store that nobody has open.
  private init(_ path: String) throws {
    file = StoreShape.read(path + "/data.mdb")
    rows = try StoreShape.rows(of: path)
    let reader = try CreditReader.open(at: path, settings: StoreShape.settings())
    var balances: [AccountID: Balance] = [:]
    var requests: [AccountID: [RequestID]] = [:]
    var latest = Timestamp(seconds: 1_700_000_000)
    try reader.forEachEntry(from: StoreShape.first(of: rows)) { (entry) throws(StoreError) in
      latest = max(latest, entry.time)
      balances[entry.account] = try reader.balance(of: entry.account)
      if let request = entry.request {
        requests[entry.account] = requests[entry.account, default: []].suffix(1) + [request]
      }
      return true
    }
    self.balances = balances
    self.requests = requests
    self.latest = latest
  }

  private static func first(of rows: [Row]) -> SequenceNumber {
    let keys = rows.filter { $0.table == 0 }.map { number($0.key) }
    return SequenceNumber(keys.min() ?? 1)
  }

  /// The number that a key of the journal is.
  static func number(_ key: [UInt8]) -> UInt64 {
    key.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  private static func make(_ thread: OneThread) async throws -> [StoreShape] {
    let place = TemporaryStore()
    var shapes: [StoreShape] = []
    func open(_ path: String, windowAge: Duration = .seconds(86_400)) throws -> CreditStore {
      var settings = settings()
      settings.simulation = thread.simulation
      settings.windowAge = windowAge
      let store = try CreditStore.open(at: path, settings: settings)
      thread.serve(store)
      return store
    }
    let fresh = place.place("fresh")
    try await open(fresh).close()
    shapes.append(try StoreShape(fresh))
    for (seed, steps) in [(3, 40), (4, 240)] {
      var configuration = OracleRun.Configuration()
      configuration.accounts = 5
      configuration.thread = thread
      let run = try OracleRun(seed: UInt64(seed), configuration)
      try await run.take(steps: steps)
      let path = place.place("copy-\(seed)")
      try await run.copy(to: path)
      if seed == 4 { shapes.append(try StoreShape(path)) }
      let store = try open(path)
      _ = try await store.addConsumer("mail")
      _ = try await store.addConsumer("search")
      try await store.setCatalogue(store.catalogue)
      try await store.close()
      shapes.append(try StoreShape(path))
      if seed == 4 {
        let store = try open(path, windowAge: .microseconds(1))
        _ = try await store.removeConsumer("mail")
        _ = try await store.removeConsumer("search")
        _ = try await store.trim(before: .latest)
        try await store.close()
        shapes.append(try StoreShape(path))
      }
    }
    return shapes
  }

  /// Small limits, and a clock that never goes.
  static func settings(at time: Timestamp = .zero) -> Credits.Settings {
    var settings = Credits.Settings()
    settings.clock = .manual(StoreClock.Manual(time))
    settings.durability = .unsynced
    settings.mapSize = 1 << 27
    settings.residentAccounts = 1_024
    settings.windowRequests = 1_024
    settings.checkpointEntries = 1_024
    settings.frameKibibytes = 256
    settings.clockJump = .seconds(1_000_000_000)
    settings.logger = Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() }
    return settings
  }

  // MARK: Files

  private static func rows(of path: String) throws -> [Row] {
    let environment = try StoreShape.environment(at: path)
    defer { environment.close() }
    let tables = try environment.openTables(StoreShape.definitions)
    let transaction = try environment.beginRead()
    var rows: [Row] = []
    for (index, table) in tables.enumerated() {
      var cursor = try transaction.cursor(on: table)
      while try cursor.next() {
        let value = unsafe cursor.value.withUnsafeBytes { unsafe Array($0) }
        let key = index == 0 ? bytes(of: cursor.integerKey) : unsafe cursor.key.withUnsafeBytes { unsafe Array($0) }
        rows.append(Row(table: index, key: key, value: value))
      }
    }
    return rows
  }

  private static func bytes(of number: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(8 * $0)) }
  }

  static func environment(at path: String) throws -> Environment {
    var settings = Environment.Settings()
    settings.mapSize = 1 << 27
    settings.sync = .none
    return try Environment.open(at: path, settings: settings)
  }

  static let definitions = tables.map { Table.Definition($0, keys: $0 == "journal" ? .integers : .bytes) }

  static func read(_ path: String) -> [UInt8] {
    // Safe: the path is a terminated string that outlives the calls, and the count is the array's own.
    guard let file = unsafe fopen(path, "r") else { return [] }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = unsafe fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk.prefix(count) }
    return bytes
  }

  static func write(_ bytes: [UInt8], to path: String) throws {
    guard let file = unsafe fopen(path, "w") else { throw Finding(description: "\(path) cannot be written") }
    unsafe fwrite(bytes, 1, bytes.count, file)
    unsafe fclose(file)
  }
}
