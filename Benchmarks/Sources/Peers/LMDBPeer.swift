internal import CPlainLMDB
internal import Foundation
internal import Glibc

/// Plain LMDB: a B+tree of balances and one of records, a transaction for each debit or for a batch.
package final class LMDBPeer: Peer, @unchecked Sendable {
  // Safe to share: LMDB locks its own state, and the handles never change.
  private let environment: OpaquePointer
  private let balances: MDB_dbi
  private let records: MDB_dbi

  package init(folder: String) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    environment = try openLMDB(folder, mapBytes: 64 << 30)
    let tables = try openTables(environment, [("balances", MDB_INTEGERKEY), ("records", 0)])
    (balances, records) = (tables[0], tables[1])
  }

  package var name: String { "LMDB \(MDB_VERSION_MAJOR).\(MDB_VERSION_MINOR).\(MDB_VERSION_PATCH)" }
  package var relaxedMode: String { "MDB_NOSYNC" }
  package var server: Int32? { nil }
  package var forms: [PeerForm] {
    [
      PeerForm("a transaction a debit"), PeerForm(PeerForm.idealQueue, batch: 64),
      PeerForm(PeerForm.idealQueue, batch: 1_024), PeerForm("batches", batch: 8_192),
    ]
  }

  package func fill(accounts: Int, balance: Int64) throws {
    try transaction(environment) { transaction in
      try lmdb("empty", mdb_drop(transaction, balances, 0))
      try lmdb("empty", mdb_drop(transaction, records, 0))
      for account in 1...accounts {
        var key = UInt64(account)
        var state = (balance, UInt64(0))
        try withValue(&key) { key in
          try withValue(&state) { value in
            _ = try lmdb("put", mdb_put(transaction, balances, &key, &value, UInt32(MDB_APPEND)))
          }
        }
      }
    }
  }

  package func total(of accounts: ClosedRange<Int>) throws -> Int64 {
    var transaction: OpaquePointer?
    try lmdb("begin", mdb_txn_begin(environment, nil, UInt32(MDB_RDONLY), &transaction))
    defer { mdb_txn_abort(transaction) }
    var sum: Int64 = 0
    for account in accounts {
      var key = UInt64(account)
      var value = MDB_val()
      try withValue(&key) { key in _ = try lmdb("get", mdb_get(transaction, balances, &key, &value)) }
      sum += value.mv_data.loadUnaligned(as: Int64.self)
    }
    return sum
  }

  package func session(_ form: PeerForm, _ durability: PeerDurability) throws -> any PeerSession {
    try lmdb("set flags", mdb_env_set_flags(environment, UInt32(MDB_NOSYNC), durability == .relaxed ? 1 : 0))
    return Session(environment, balances, records)
  }

  package func close() { mdb_env_close(environment) }

  private final class Session: PeerSession, @unchecked Sendable {
    private let environment: OpaquePointer
    private let balances: MDB_dbi
    private let records: MDB_dbi

    init(_ environment: OpaquePointer, _ balances: MDB_dbi, _ records: MDB_dbi) {
      (self.environment, self.balances, self.records) = (environment, balances, records)
    }

    func debit(_ debits: [PeerDebit]) throws -> Int {
      try transaction(environment) { transaction in
        var done = 0
        for debit in debits where try self.debit(debit, transaction) { done += 1 }
        return done
      }
    }

    private func debit(_ debit: PeerDebit, _ transaction: OpaquePointer?) throws -> Bool {
      var account = UInt64(debit.account)
      return try withValue(&account) { key in
        var found = MDB_val()
        try lmdb("get", mdb_get(transaction, balances, &key, &found))
        var state = found.mv_data.loadUnaligned(as: (Int64, UInt64).self)
        guard state.0 >= debit.amount else { return false }
        state = (state.0 - debit.amount, state.1 + 1)
        var request = debit.request
        var record = Record(debit, balance: state.0)
        let code = withValue(&request) { request in
          withValue(&record) { mdb_put(transaction, records, &request, &$0, UInt32(MDB_NOOVERWRITE)) }
        }
        if code == MDB_KEYEXIST { return false }
        try lmdb("put", code)
        try withValue(&state) { value in _ = try lmdb("put", mdb_put(transaction, balances, &key, &value, 0)) }
        return true
      }
    }

    func close() {}
  }
}

/// The record of a debit as peers keep it that store bytes: 48 bytes besides the request's 16.
struct Record: BitwiseCopyable {
  var account: UInt64
  var amount: Int64
  var balance: Int64
  var time: Int64
  var model: UInt64 = 1
  var units: UInt64 = 0

  init(_ debit: PeerDebit, balance: Int64) {
    account = UInt64(debit.account)
    amount = debit.amount
    self.balance = balance
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    time = Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1_000
  }
}
