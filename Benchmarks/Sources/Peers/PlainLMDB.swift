internal import CPlainLMDB
internal import Foundation
package import Harness

/// LMDB by itself: the yardstick for a single commit, and the limit of large ones.
///
/// One thread uses it at a time.
package final class PlainLMDB {
  private let environment: OpaquePointer
  private let table: MDB_dbi
  private var first: UInt64 = 1
  private var next: UInt64 = 1
  /// The values that are kept; older ones are deleted as new ones are appended, as retention does.
  private let kept: UInt64 = 4_096

  package init(folder: String) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    environment = try openLMDB(folder, mapBytes: 16 << 30)
    table = try openTables(environment, [("values", MDB_INTEGERKEY)])[0]
  }

  package func close() { mdb_env_close(environment) }

  /// Commits that append some values each, for some seconds.
  package func appends(
    of size: Int, values: Int, seconds: Double
  ) throws -> (bytesPerSecond: Double, latencies: Latencies) {
    let value = [UInt8](repeating: 7, count: size)
    var times: [Int64] = []
    var written = 0
    let start = ContinuousClock.now
    var now = start
    while now < start + .seconds(seconds) {
      try transaction(environment) { transaction in
        for _ in 0..<values {
          try put(transaction, table, &next, value, MDB_APPEND)
          next += 1
        }
        while next - first > kept + UInt64(values) {
          try withValue(&first) { key in _ = try lmdb("delete", mdb_del(transaction, table, &key, nil)) }
          first += 1
        }
      }
      let after = ContinuousClock.now
      times.append((after - now).nanoseconds)
      now = after
      written += values * size
    }
    let latencies = Latencies()
    latencies.record(times)
    return (Double(written) / (now - start).seconds, latencies)
  }

  private func put(
    _ transaction: OpaquePointer?, _ table: MDB_dbi, _ key: inout UInt64, _ value: [UInt8], _ flags: Int32
  ) throws {
    try withValue(&key) { key in
      try value.withUnsafeBytes { bytes in
        var data = MDB_val(mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
        try lmdb("put", mdb_put(transaction, table, &key, &data, UInt32(flags)))
      }
    }
  }
}

/// Turns an answer of LMDB other than success into a failure.
@discardableResult
func lmdb(_ what: String, _ code: Int32) throws -> Int32 {
  guard code == 0 else { throw PeerFailure("LMDB", what, String(cString: mdb_strerror(code))) }
  return code
}

/// Calls a function with a value of LMDB that has the bytes of a variable.
func withValue<T: BitwiseCopyable, R>(_ bytes: inout T, _ body: (inout MDB_val) throws -> R) rethrows -> R {
  try withUnsafeMutableBytes(of: &bytes) { buffer in
    var value = MDB_val(mv_size: buffer.count, mv_data: buffer.baseAddress)
    return try body(&value)
  }
}

func openLMDB(_ folder: String, mapBytes: Int) throws -> OpaquePointer {
  var environment: OpaquePointer?
  try lmdb("create", mdb_env_create(&environment))
  guard let environment else { throw PeerFailure("LMDB", "create", "nothing came") }
  do {
    try lmdb("set the map's size", mdb_env_set_mapsize(environment, mapBytes))
    try lmdb("set the number of tables", mdb_env_set_maxdbs(environment, 4))
    try lmdb("open", mdb_env_open(environment, folder, UInt32(MDB_NOTLS), 0o600))
  } catch {
    mdb_env_close(environment)
    throw error
  }
  return environment
}

func openTables(_ environment: OpaquePointer, _ tables: [(name: String, flags: Int32)]) throws -> [MDB_dbi] {
  var handles: [MDB_dbi] = []
  try transaction(environment) { transaction in
    for (name, flags) in tables {
      var handle = MDB_dbi()
      try lmdb("open a table", mdb_dbi_open(transaction, name, UInt32(MDB_CREATE | flags), &handle))
      handles.append(handle)
    }
  }
  return handles
}

/// Does some work in a write transaction and commits it.
func transaction<R>(_ environment: OpaquePointer, _ work: (OpaquePointer?) throws -> R) throws -> R {
  var transaction: OpaquePointer?
  try lmdb("begin", mdb_txn_begin(environment, nil, 0, &transaction))
  let result: R
  do {
    result = try work(transaction)
  } catch {
    mdb_txn_abort(transaction)
    throw error
  }
  try lmdb("commit", mdb_txn_commit(transaction))
  return result
}
