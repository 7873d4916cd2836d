#if canImport(CPostgres)
  internal import CPostgres
  internal import Foundation

  /// PostgreSQL: a conditional update and the insertion of the record in one prepared statement, from many connections
  /// whose commits wait for each other a little; for batches a function on the server.
  package final class PostgresPeer: Peer, Sendable {
    private let target: String
    package let name: String
    package let server: Int32?

    /// Connects to a server whose socket is in a folder.
    package init(socketFolder: String, user: String, server: Int32?) throws {
      target = "host=\(socketFolder) user=\(user) dbname=postgres"
      self.server = server
      let session = try Session(target)
      defer { session.close() }
      let version = try session.text("SHOW server_version")
      name = "PostgreSQL \(version.split(separator: " ").first ?? "")"
    }

    package var relaxedMode: String { "synchronous_commit = off" }
    package var forms: [PeerForm] {
      [
        PeerForm("a statement a debit"), PeerForm("64 connections", sessions: 64),
        PeerForm("a queue in front of 2 connections", sessions: 2, batch: 32, way: "function"),
        PeerForm("a queue in front of 2 connections", sessions: 2, batch: 512, way: "function"),
        PeerForm("batches on 2 connections", sessions: 2, batch: 4_096, way: "function"),
      ]
    }

    package func fill(accounts: Int, balance: Int64) throws {
      let session = try Session(target)
      defer { session.close() }
      try session.run(
        """
        DROP TABLE IF EXISTS records, accounts;
        CREATE TABLE accounts (id bigint PRIMARY KEY, balance bigint NOT NULL, version bigint NOT NULL)
          WITH (fillfactor = 60);
        CREATE TABLE records (request uuid PRIMARY KEY, account bigint NOT NULL, amount bigint NOT NULL,
          balance bigint NOT NULL, time timestamptz NOT NULL, model bigint NOT NULL, units bigint NOT NULL);
        INSERT INTO accounts SELECT id, \(balance), 0 FROM generate_series(1, \(accounts)) id;
        CREATE OR REPLACE FUNCTION debit(requests uuid[], ids bigint[], amounts bigint[]) RETURNS integer
        LANGUAGE plpgsql AS $$
        DECLARE done integer := 0;
        BEGIN
          FOR i IN 1 .. array_length(ids, 1) LOOP
            INSERT INTO records SELECT requests[i], id, amounts[i], balance - amounts[i], now(), 1, 0 FROM accounts
              WHERE id = ids[i] AND balance >= amounts[i] FOR UPDATE ON CONFLICT DO NOTHING;
            IF FOUND THEN
              UPDATE accounts SET balance = balance - amounts[i], version = version + 1 WHERE id = ids[i];
              done := done + 1;
            END IF;
          END LOOP;
          RETURN done;
        END $$;
        """)
      try session.run("VACUUM (ANALYZE) accounts")
      try session.run("CHECKPOINT")
    }

    package func total(of accounts: ClosedRange<Int>) throws -> Int64 {
      let session = try Session(target)
      defer { session.close() }
      let range = "BETWEEN \(accounts.lowerBound) AND \(accounts.upperBound)"
      return Int64(try session.text("SELECT sum(balance)::bigint FROM accounts WHERE id \(range)")) ?? 0
    }

    package func session(_ form: PeerForm, _ durability: PeerDurability) throws -> any PeerSession {
      let session = try Session(target)
      try session.run("SET synchronous_commit = \(durability == .durable ? "on" : "off")")
      if form.sessions > 2, durability == .durable {
        try session.run("SET commit_delay = 200; SET commit_siblings = 5")
      }
      try session.prepare(isFunction: form.way == "function")
      return session
    }

    package func close() {}

    private final class Session: PeerSession, @unchecked Sendable {
      // Safe to pass on: one thread uses a session at a time.
      private let connection: OpaquePointer
      private var isFunction = false

      init(_ target: String) throws {
        guard let connection = PQconnectdb(target) else { throw PeerFailure("PostgreSQL", "connect", target) }
        self.connection = connection
        guard PQstatus(connection) == CONNECTION_OK else { throw failure("connect") }
        try run("SET client_min_messages = warning")
      }

      func prepare(isFunction: Bool) throws {
        self.isFunction = isFunction
        let text =
          isFunction
          ? "SELECT debit($1::uuid[], $2::bigint[], $3::bigint[])"
          : """
          WITH spent AS (UPDATE accounts SET balance = balance - $3, version = version + 1
            WHERE id = $2 AND balance >= $3 RETURNING id, balance)
          INSERT INTO records SELECT $1::uuid, id, $3::bigint, balance, now(), 1, 0 FROM spent
          """
        let result = PQprepare(connection, "debit", text, 3, nil)
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_COMMAND_OK else { throw failure("prepare") }
      }

      func run(_ text: String) throws {
        let result = PQexec(connection, text)
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_COMMAND_OK else { throw failure("run") }
      }

      func text(_ query: String) throws -> String {
        let result = PQexec(connection, query)
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_TUPLES_OK, PQntuples(result) == 1 else { throw failure("ask") }
        return String(cString: PQgetvalue(result, 0, 0))
      }

      func debit(_ debits: [PeerDebit]) throws -> Int {
        if isFunction { return try call(debits) }
        var done = 0
        for debit in debits where try self.debit(debit) { done += 1 }
        return done
      }

      /// One debit as a statement of its own; a duplicate breaks the records' key, and undoes the update with it.
      private func debit(_ debit: PeerDebit) throws -> Bool {
        let words = (debit.request, Int64(debit.account).bigEndian, debit.amount.bigEndian)
        return try withUnsafeBytes(of: words) { bytes in
          let start = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
          let values = [start, start?.advanced(by: 16), start?.advanced(by: 24)]
          let result = PQexecPrepared(connection, "debit", 3, values, [16, 8, 8], [1, 1, 1], 1)
          defer { PQclear(result) }
          if PQresultStatus(result) == PGRES_COMMAND_OK {
            return PQcmdTuples(result).pointee == CChar(UInt8(ascii: "1"))
          }
          if let state = PQresultErrorField(result, Int32(UInt8(ascii: "C"))), String(cString: state) == "23505" {
            return false
          }
          throw failure("debit")
        }
      }

      /// Many debits by the function; in the order of accounts, so that connections do not wait for each other in a ring.
      private func call(_ debits: [PeerDebit]) throws -> Int {
        let debits = debits.sorted { $0.account < $1.account }
        let requests = debits.map { PostgresPeer.hexadecimal($0.high) + PostgresPeer.hexadecimal($0.low) }
        let lists = [requests, debits.map { String($0.account) }, debits.map { String($0.amount) }].map {
          strdup("{" + $0.joined(separator: ",") + "}")
        }
        defer { lists.forEach { free($0) } }
        let values = lists.map { UnsafePointer<CChar>($0) }
        let result = PQexecPrepared(connection, "debit", 3, values, nil, nil, 0)
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_TUPLES_OK else { throw failure("debit") }
        return Int(String(cString: PQgetvalue(result, 0, 0))) ?? 0
      }

      private func failure(_ what: String) -> PeerFailure {
        PeerFailure("PostgreSQL", what, String(cString: PQerrorMessage(connection)))
      }

      func close() { PQfinish(connection) }
    }

    private static func hexadecimal(_ number: UInt64) -> String {
      let digits = String(number, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }
  }
#endif
