#if canImport(CSQLite)
  internal import CSQLite
  internal import Foundation

  /// SQLite in WAL mode, with prepared statements: a transaction for each debit or for a batch.
  package final class SQLitePeer: Peer, Sendable {
    private let path: String

    package init(folder: String) throws {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      path = folder + "/peer.sqlite"
    }

    package var name: String { "SQLite \(String(cString: sqlite3_libversion()))" }
    package var relaxedMode: String { "synchronous = NORMAL" }
    package var server: Int32? { nil }
    package var forms: [PeerForm] {
      [
        PeerForm("a transaction a debit"), PeerForm(PeerForm.idealQueue, batch: 64),
        PeerForm(PeerForm.idealQueue, batch: 1_024), PeerForm("batches", batch: 8_192),
      ]
    }

    package func fill(accounts: Int, balance: Int64) throws {
      let base = try Session(path, .durable)
      defer { base.close() }
      try base.run(
        """
        DROP TABLE IF EXISTS records; DROP TABLE IF EXISTS accounts;
        CREATE TABLE accounts (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL, version INTEGER NOT NULL);
        CREATE TABLE records (request BLOB PRIMARY KEY, account INTEGER NOT NULL, amount INTEGER NOT NULL,
          balance INTEGER NOT NULL, time INTEGER NOT NULL, model INTEGER NOT NULL, units INTEGER NOT NULL)
          WITHOUT ROWID;
        WITH RECURSIVE number(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM number WHERE id < \(accounts))
          INSERT INTO accounts SELECT id, \(balance), 0 FROM number;
        PRAGMA wal_checkpoint(TRUNCATE);
        """)
    }

    package func total(of accounts: ClosedRange<Int>) throws -> Int64 {
      let base = try Session(path, .durable)
      defer { base.close() }
      return try base.number(
        "SELECT sum(balance) FROM accounts WHERE id BETWEEN \(accounts.lowerBound) AND \(accounts.upperBound)")
    }

    package func session(_ form: PeerForm, _ durability: PeerDurability) throws -> any PeerSession {
      let session = try Session(path, durability)
      try session.prepare()
      return session
    }

    package func close() {}

    private final class Session: PeerSession, @unchecked Sendable {
      // Safe to pass on: one thread uses a session at a time.
      private let base: OpaquePointer
      private var insert: OpaquePointer?
      private var update: OpaquePointer?
      private var begin: OpaquePointer?
      private var commit: OpaquePointer?

      init(_ path: String, _ durability: PeerDurability) throws {
        var base: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
        guard sqlite3_open_v2(path, &base, flags, nil) == SQLITE_OK, let base else {
          throw PeerFailure("SQLite", "open", path)
        }
        self.base = base
        try run(
          """
          PRAGMA journal_mode = WAL; PRAGMA synchronous = \(durability == .durable ? "FULL" : "NORMAL");
          PRAGMA cache_size = -262144; PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 4000;
          PRAGMA busy_timeout = 10000;
          """)
      }

      func prepare() throws {
        // The record first: it is refused for a duplicate, and none is made where credits do not suffice.
        insert = try statement(
          """
          INSERT INTO records SELECT ?1, id, ?3, balance - ?3, ?4, 1, 0 FROM accounts WHERE id = ?2 AND balance >= ?3
          ON CONFLICT DO NOTHING
          """)
        update = try statement("UPDATE accounts SET balance = balance - ?2, version = version + 1 WHERE id = ?1")
        begin = try statement("BEGIN IMMEDIATE")
        commit = try statement("COMMIT")
      }

      func run(_ text: String) throws {
        guard sqlite3_exec(base, text, nil, nil, nil) == SQLITE_OK else { throw failure("run") }
      }

      func number(_ query: String) throws -> Int64 {
        let query = try statement(query)
        defer { sqlite3_finalize(query) }
        guard sqlite3_step(query) == SQLITE_ROW else { throw failure("ask") }
        return sqlite3_column_int64(query, 0)
      }

      func debit(_ debits: [PeerDebit]) throws -> Int {
        try step(begin)
        var done = 0
        for debit in debits where try self.debit(debit) { done += 1 }
        try step(commit)
        return done
      }

      private func debit(_ debit: PeerDebit) throws -> Bool {
        var request = debit.request
        let record = Record(debit, balance: 0)
        try withUnsafeBytes(of: &request) { bytes in
          // Null as the last argument: the bytes stay as they are until the step is over.
          sqlite3_bind_blob(insert, 1, bytes.baseAddress, 16, nil)
          sqlite3_bind_int64(insert, 2, Int64(debit.account))
          sqlite3_bind_int64(insert, 3, debit.amount)
          sqlite3_bind_int64(insert, 4, record.time)
          try step(insert)
        }
        guard sqlite3_changes(base) == 1 else { return false }
        sqlite3_bind_int64(update, 1, Int64(debit.account))
        sqlite3_bind_int64(update, 2, debit.amount)
        try step(update)
        return true
      }

      private func statement(_ text: String) throws -> OpaquePointer? {
        var statement: OpaquePointer?
        guard sqlite3_prepare_v3(base, text, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil) == SQLITE_OK else {
          throw failure("prepare")
        }
        return statement
      }

      private func step(_ statement: OpaquePointer?) throws {
        let code = sqlite3_step(statement)
        sqlite3_reset(statement)
        guard code == SQLITE_DONE else { throw failure("step") }
      }

      private func failure(_ what: String) -> PeerFailure {
        PeerFailure("SQLite", what, String(cString: sqlite3_errmsg(base)))
      }

      func close() {
        for statement in [insert, update, begin, commit] { sqlite3_finalize(statement) }
        sqlite3_close(base)
      }
    }
  }
#endif
