internal import Credits
internal import CreditsTesting
internal import LMDB

/// What is done to a store's rows, or to its files.
struct StoreDamage {
  /// Whether only bytes of values were changed, and every checksum was left as it was.
  private(set) var isOnlyOfValues = true
  private(set) var steps: [String] = []

  /// Changes rows as choices say: bytes of values with and without their checksums, whole rows, and keys.
  mutating func change(_ shape: StoreShape, at path: String, _ choices: inout Choices) throws {
    var rows = shape.rows
    guard !rows.isEmpty else { return }
    let count = 1 + choices.below(3)
    for _ in 0..<count where !rows.isEmpty {
      let table = choices.below(StoreShape.tables.count)
      let places = rows.indices.filter { rows[$0].table == table }
      let place = choices.pick(places.isEmpty ? Array(rows.indices) : places)
      change(&rows, place, &choices)
    }
    try write(rows, over: shape.rows, at: path)
  }

  private mutating func change(_ rows: inout [StoreShape.Row], _ place: Int, _ choices: inout Choices) {
    let before = rows[place]
    let name = StoreShape.tables[before.table]
    switch choices.below(16) {
    case 0:
      isOnlyOfValues = false
      rows.remove(at: place)
      return steps.append("\(name) row \(place) removed")
    case 1:
      // Another row's value.
      let others = rows.indices.filter { rows[$0].table == before.table }
      rows[place].value = rows[choices.pick(others)].value
      isOnlyOfValues = false
      return steps.append("\(name) row \(place) has another one's value")
    case 2:
      isOnlyOfValues = false
      let (others, byte) = (rows.indices.filter { rows[$0].table == before.table }, UInt8(choices.below(256)))
      var key = rows[choices.pick(others)].key
      if !key.isEmpty { key[choices.below(key.count)] = byte }
      if choices.once(in: 4) { key = Array(key.dropLast(choices.below(key.count + 1))) }
      // A copy under a key that is not its own; the row itself stays, or goes.
      if choices.once(in: 2) {
        rows[place].key = key
      } else {
        rows.append(StoreShape.Row(table: before.table, key: key, value: before.value))
      }
      return steps.append("\(name) row \(place) under key \(key)")
    case 3: rows[place].value.removeLast(choices.below(before.value.count + 1))
    case 4: rows[place].value += (0..<choices.below(80)).map { _ in UInt8(choices.below(256)) }
    case 5: rows[place].value = (0..<choices.below(160)).map { _ in UInt8(choices.below(256)) }
    default:
      for _ in 0...choices.below(3) where !rows[place].value.isEmpty {
        change(&rows[place].value, &choices)
      }
    }
    let isSealed = choices.once(in: 2)
    if isSealed { seal(&rows[place]) }
    if isSealed || before.table == 2 { isOnlyOfValues = isOnlyOfValues && rows[place] == before }
    if isSealed, before.table == 0, choices.once(in: 2) { chain(&rows) }
    steps.append("\(name) row \(place) \(isSealed ? "sealed anew" : "changed")")
  }

  private func change(_ value: inout [UInt8], _ choices: inout Choices) {
    let place = choices.below(min(value.count, 1 << 16))
    switch choices.below(4) {
    case 0: value[place] ^= 1 << UInt8(choices.below(8))
    case 1: value[place] = UInt8(choices.below(256))
    case 2:
      let word = choices.pick([0, 1, 2, .max, .min, -1, -2, .max / 4] as [Int64])
      for byte in 0..<8 where place & ~7 + byte < value.count {
        value[place & ~7 + byte] = UInt8(truncatingIfNeeded: word >> Int64(byte * 8))
      }
    default: value.swapAt(place, choices.below(min(value.count, 1 << 16)))
    }
  }

  // MARK: Checksums

  /// Makes the checksum of a row that of its bytes.
  private func seal(_ row: inout StoreShape.Row) {
    let count = row.value.count
    func sum(_ range: Range<Int>) -> UInt64 { Checksum.of(row.value.span.rawBytes.extracting(range)) }
    switch row.table {
    case 0:
      guard count >= Block.Header.size, let header = try? Block.header(of: row.value.span.rawBytes).header else {
        return
      }
      _ = unsafe row.value.withUnsafeMutableBytes { unsafe Block.seal(header, in: $0) }
    case 1 where count >= 16: put(sum(16..<count), at: 8, of: &row.value)
    case 4 where count >= 8, 7 where count >= 8:
      put(sum(0..<count - 8), at: count - 8, of: &row.value)
    case 6 where count >= 8: put(sum(8..<count), at: 0, of: &row.value)
    default: break
    }
  }

  /// Makes every block follow the one before it.
  private func chain(_ rows: inout [StoreShape.Row]) {
    var previous: UInt64?
    for place in rows.indices.filter({ rows[$0].table == 0 }) {
      let block = rows[place].value
      guard let found = try? Block.header(of: block.span.rawBytes) else { return }
      var (header, checksum) = found
      if let previous, previous != header.previous {
        header.previous = previous
        checksum = unsafe rows[place].value.withUnsafeMutableBytes { unsafe Block.seal(header, in: $0) }
      }
      previous = checksum
    }
  }

  private func put(_ word: UInt64, at place: Int, of bytes: inout [UInt8]) {
    for index in 0..<8 { bytes[place + index] = UInt8(truncatingIfNeeded: word >> UInt64(8 * index)) }
  }

  // MARK: Rows

  private func write(_ rows: [StoreShape.Row], over old: [StoreShape.Row], at path: String) throws {
    let environment = try StoreShape.environment(at: path)
    defer { environment.close() }
    let tables = try environment.openTables(StoreShape.definitions)
    var transaction = try environment.beginWrite()
    let (before, after) = (Set(old), Set(rows))
    for row in old where !after.contains(row) {
      if row.table == 0 {
        try transaction.delete(StoreShape.number(row.key), from: tables[0])
      } else {
        try transaction.delete(row.key.span.rawBytes, from: tables[row.table])
      }
    }
    for row in rows where !before.contains(row) {
      if row.table == 0 {
        try transaction.put(row.value.span.rawBytes, for: StoreShape.number(row.key), in: tables[0])
      } else if (1...511).contains(row.key.count) {
        try transaction.put(row.value.span.rawBytes, for: row.key.span.rawBytes, in: tables[row.table])
      }
    }
    try transaction.commit()
  }

  // MARK: Files

  /// Cuts or lengthens the data file, changes what it begins with, or fills the other files with anything.
  mutating func changeFiles(_ shape: StoreShape, at path: String, _ choices: inout Choices) throws {
    isOnlyOfValues = false
    var data = shape.file
    let pages = data.count / 4_096
    switch choices.below(6) {
    case 0: data.removeLast(min(data.count, (pages - choices.below(pages + 1)) * 4_096 + choices.below(4_096)))
    case 1: data += (0..<choices.below(1 << 14)).map { UInt8(truncatingIfNeeded: $0) }
    case 2:
      // The magic number and the version of one of LMDB's two headers, or of both.
      let place = 16 + choices.below(8)
      for page in 0..<2 where !choices.once(in: 3) && data.count > 8_192 {
        data[page * 4_096 + place] = UInt8(choices.below(256))
      }
    case 3:
      data = Array(choices.rest)
      // A header of LMDB with its magic number would be believed.
      if data.count > 16, data[16] == shape.file[16] { data[16] = 0 }
    case 4: try StoreShape.write(Array(choices.rest), to: path + "/lock.mdb")
    default: try StoreShape.write(Array(choices.rest), to: path + "/writer.lock")
    }
    try StoreShape.write(data, to: path + "/data.mdb")
    steps.append("files changed")
  }
}
