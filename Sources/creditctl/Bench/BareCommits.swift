import LMDB

/// Commits of a few bytes to LMDB alone, as the yardstick for one caller.
final class BareCommits: Sendable {
  private let environment: Environment
  private let table: LMDB.Table

  init(path: String) throws {
    try makeFolder(path)
    var settings = Environment.Settings()
    settings.mapSize = 16 << 30
    environment = try Environment.open(at: path, settings: settings)
    table = try environment.openTables([.init("journal", keys: .integers)])[0]
  }

  func close() { environment.close() }

  /// The median of the time of a commit that appends as many bytes as a block of one debit has: 144, and the key.
  func median(seconds: Double) throws -> Double {
    let value = [UInt8](repeating: 7, count: 144)
    var next: UInt64 = 1
    do {
      let transaction = try environment.beginRead()
      var cursor = try transaction.cursor(on: table)
      if try cursor.last() { next = cursor.integerKey + 1 }
    }
    var times: [Int64] = []
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
      let start = ContinuousClock.now
      var transaction = try environment.beginWrite()
      try transaction.append(value.span.rawBytes, for: next, to: table)
      try transaction.commit()
      times.append((ContinuousClock.now - start).nanoseconds)
      next += 1
    }
    times.sort()
    return Double(times[times.count / 2])
  }
}
