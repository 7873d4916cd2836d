import LMDB

/// A fresh store with one table of numbers and one of bytes.
struct Store {
  let folder: TemporaryFolder
  let environment: Environment
  let numbers: Table
  let words: Table

  init(
    in folder: TemporaryFolder = TemporaryFolder(),
    _ change: (inout Environment.Settings) -> Void = { _ in }
  ) throws(LMDBError) {
    self.folder = folder
    environment = try Environment.open(at: folder.path, settings: testSettings(change))
    (numbers, words) = try openTestTables(of: environment)
  }

  /// Commits numbers with values that say which they are.
  func fill(_ keys: some Sequence<UInt64>) throws(LMDBError) {
    var transaction = try environment.beginWrite()
    for key in keys { try transaction.put("value \(key)", for: key, in: numbers) }
    try transaction.commit()
  }
}

/// Settings without sync, since no test cuts the power.
func testSettings(_ change: (inout Environment.Settings) -> Void = { _ in }) -> Environment.Settings {
  var settings = Environment.Settings()
  settings.mapSize = 64 << 20
  settings.sync = .none
  change(&settings)
  return settings
}

func openTestTables(of environment: Environment) throws(LMDBError) -> (numbers: Table, words: Table) {
  let tables = try environment.openTables([
    Table.Definition("numbers", keys: .integers), Table.Definition("words", keys: .bytes),
  ])
  return (tables[0], tables[1])
}

/// The code of the error that `body` throws, or `nil`.
func failure(_ body: () throws(LMDBError) -> Void) -> LMDBError.Code? {
  do throws(LMDBError) {
    try body()
    return nil
  } catch {
    return error.code
  }
}

extension Transaction where Self: ~Copyable {
  func text(_ key: UInt64, from table: Table) throws(LMDBError) -> String? {
    try get(key, from: table).bytes.map { String(decoding: $0, as: UTF8.self) }
  }

  func text(_ key: String, from table: Table) throws(LMDBError) -> String? {
    let key = Array(key.utf8)
    return try get(key.span.rawBytes, from: table).bytes.map { String(decoding: $0, as: UTF8.self) }
  }

  /// The keys of a table of numbers, in order.
  func keys(of table: Table) throws(LMDBError) -> [UInt64] {
    var keys: [UInt64] = []
    var cursor = try cursor(on: table)
    while try cursor.next() { keys.append(cursor.integerKey) }
    return keys
  }
}

extension WriteTransaction {
  mutating func put(_ value: String, for key: UInt64, in table: Table) throws(LMDBError) {
    let value = Array(value.utf8)
    try put(value.span.rawBytes, for: key, in: table)
  }

  mutating func put(_ value: String, for key: String, in table: Table) throws(LMDBError) {
    let value = Array(value.utf8)
    let key = Array(key.utf8)
    try put(value.span.rawBytes, for: key.span.rawBytes, in: table)
  }

  mutating func append(_ value: String, for key: UInt64, to table: Table) throws(LMDBError) {
    let value = Array(value.utf8)
    try append(value.span.rawBytes, for: key, to: table)
  }
}

extension RawSpan {
  /// A copy of the bytes.
  var array: [UInt8] {
    // The buffer is copied before it ends.
    unsafe withUnsafeBytes { unsafe Array($0) }
  }
}

extension RawSpan? {
  /// A copy of the bytes, if any.
  var bytes: [UInt8]? {
    guard let self else { return nil }
    return self.array
  }
}
