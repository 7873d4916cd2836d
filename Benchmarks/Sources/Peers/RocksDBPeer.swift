#if canImport(CRocksDB)
  internal import CRocksDB
  internal import Foundation
  internal import Synchronization

  /// RocksDB: write batches of one thread, or pessimistic transactions of many, which it commits in groups.
  package final class RocksDBPeer: Peer, Sendable {
    private let folder: String
    private let open: Mutex<RocksDBOpening>

    package init(folder: String) throws {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      self.folder = folder
      open = Mutex(try RocksDBOpening(folder, isTransactional: false))
    }

    package var name: String {
      // The version stands in a header that is not C.
      let header = (try? String(contentsOfFile: "/usr/include/rocksdb/version.h", encoding: .utf8)) ?? ""
      let parts = ["MAJOR", "MINOR", "PATCH"].compactMap { part in
        header.split(separator: "\n").first { $0.hasPrefix("#define ROCKSDB_\(part) ") }?.split(separator: " ").last
      }
      return (["RocksDB", parts.joined(separator: ".")]).joined(separator: " ")
    }
    package var relaxedMode: String { "log not synced" }
    package var server: Int32? { nil }
    package var forms: [PeerForm] {
      [
        PeerForm("a write batch a debit"),
        PeerForm("transactions, a thread each", sessions: 64, way: "transactions"),
        PeerForm(PeerForm.idealQueue, batch: 64),
        PeerForm("transactions, a thread each", sessions: 1_024, way: "transactions"),
        PeerForm(PeerForm.idealQueue, batch: 1_024), PeerForm("batches", batch: 8_192),
      ]
    }

    /// The database, opened for transactions or without; the other opening is closed first.
    private func opening(isTransactional: Bool) throws -> RocksDBOpening {
      try open.withLock { open in
        if open.isTransactional != isTransactional {
          open.close()
          open = try RocksDBOpening(folder, isTransactional: isTransactional)
        }
        return open
      }
    }

    package func fill(accounts: Int, balance: Int64) throws {
      try opening(isTransactional: false).fill(accounts: accounts, balance: balance)
    }

    package func total(of accounts: ClosedRange<Int>) throws -> Int64 {
      try open.withLock { try $0.total(of: accounts) }
    }

    package func session(_ form: PeerForm, _ durability: PeerDurability) throws -> any PeerSession {
      let isTransactional = form.way == "transactions"
      let opening = try opening(isTransactional: isTransactional)
      return isTransactional
        ? RocksDBTransactions(opening, durability) : RocksDBBatches(opening, durability)
    }

    package func close() { open.withLock { $0.close() } }
  }

  /// One of the two ways to open a database.
  final class RocksDBOpening: @unchecked Sendable {
    // Safe to share: the database locks its own state, and the handles never change.
    let isTransactional: Bool
    fileprivate let base: OpaquePointer?
    fileprivate let transactional: OpaquePointer?
    fileprivate let reading = rocksdb_readoptions_create()

    init(_ folder: String, isTransactional: Bool) throws {
      self.isTransactional = isTransactional
      let options = rocksdb_options_create()
      defer { rocksdb_options_destroy(options) }
      rocksdb_options_set_create_if_missing(options, 1)
      rocksdb_options_increase_parallelism(options, 2)
      rocksdb_options_set_write_buffer_size(options, 128 << 20)
      rocksdb_options_set_max_write_buffer_number(options, 4)
      rocksdb_options_set_compression(options, 0)
      // Most requests are new: a filter says so without a search.
      rocksdb_options_set_memtable_prefix_bloom_size_ratio(options, 0.1)
      rocksdb_options_set_memtable_whole_key_filtering(options, 1)
      rocksdb_options_set_recycle_log_file_num(options, 4)
      rocksdb_options_set_max_open_files(options, 512)
      let tables = rocksdb_block_based_options_create()
      defer { rocksdb_block_based_options_destroy(tables) }
      rocksdb_block_based_options_set_filter_policy(tables, rocksdb_filterpolicy_create_bloom_full(10))
      // An index of hashes inside each block, for look-ups of single keys.
      rocksdb_block_based_options_set_data_block_index_type(tables, 1)
      rocksdb_block_based_options_set_data_block_hash_ratio(tables, 0.75)
      let cache = rocksdb_cache_create_lru(256 << 20)
      defer { rocksdb_cache_destroy(cache) }
      rocksdb_block_based_options_set_block_cache(tables, cache)
      rocksdb_options_set_block_based_table_factory(options, tables)
      var error: UnsafeMutablePointer<CChar>?
      if isTransactional {
        let choices = rocksdb_transactiondb_options_create()
        defer { rocksdb_transactiondb_options_destroy(choices) }
        transactional = rocksdb_transactiondb_open(options, choices, folder, &error)
        base = nil
      } else {
        base = rocksdb_open(options, folder, &error)
        transactional = nil
      }
      try check("open", &error)
    }

    func close() {
      if let base { rocksdb_close(base) }
      if let transactional { rocksdb_transactiondb_close(transactional) }
      rocksdb_readoptions_destroy(reading)
    }

    func fill(accounts: Int, balance: Int64) throws {
      let writing = rocksdb_writeoptions_create()
      defer { rocksdb_writeoptions_destroy(writing) }
      rocksdb_writeoptions_disable_WAL(writing, 1)
      let batch = rocksdb_writebatch_create()
      defer { rocksdb_writebatch_destroy(batch) }
      var error: UnsafeMutablePointer<CChar>?
      for account in 1...accounts {
        put(RocksDBKey(account: account), (balance, UInt64(0)), to: batch)
        if account % 10_000 == 0 || account == accounts {
          rocksdb_write(base, writing, batch, &error)
          try check("fill", &error)
          rocksdb_writebatch_clear(batch)
        }
      }
      let flush = rocksdb_flushoptions_create()
      defer { rocksdb_flushoptions_destroy(flush) }
      rocksdb_flush(base, flush, &error)
      try check("flush", &error)
      rocksdb_compact_range(base, nil, 0, nil, 0)
    }

    func total(of accounts: ClosedRange<Int>) throws -> Int64 {
      let iterator =
        isTransactional
        ? rocksdb_transactiondb_create_iterator(transactional, reading) : rocksdb_create_iterator(base, reading)
      defer { rocksdb_iter_destroy(iterator) }
      var sum: Int64 = 0
      RocksDBKey(account: accounts.lowerBound).withBytes { rocksdb_iter_seek(iterator, $0, $1) }
      for _ in accounts where rocksdb_iter_valid(iterator) != 0 {
        var length = 0
        guard let value = rocksdb_iter_value(iterator, &length) else { break }
        sum += UnsafeRawPointer(value).loadUnaligned(as: Int64.self)
        rocksdb_iter_next(iterator)
      }
      return sum
    }
  }

  /// A key: eight bytes for a balance, sixteen for a record, the most significant first.
  ///
  /// Runs are numbered from 1 in the upper half of a request's first word, so all records come after all balances.
  struct RocksDBKey {
    private var words: (UInt64, UInt64)
    private let count: Int

    init(account: Int) {
      words = (UInt64(account).bigEndian, 0)
      count = 8
    }

    init(_ debit: PeerDebit) {
      words = debit.request
      count = 16
    }

    func withBytes<R>(_ body: (UnsafePointer<CChar>?, Int) -> R) -> R {
      withUnsafeBytes(of: words) { body($0.baseAddress?.assumingMemoryBound(to: CChar.self), count) }
    }
  }

  private func put(_ key: RocksDBKey, _ value: some BitwiseCopyable, to batch: OpaquePointer?) {
    withUnsafeBytes(of: value) { value in
      key.withBytes { bytes, count in
        rocksdb_writebatch_put(
          batch, bytes, count, value.baseAddress?.assumingMemoryBound(to: CChar.self), value.count)
      }
    }
  }

  private func check(_ what: String, _ error: inout UnsafeMutablePointer<CChar>?) throws {
    guard let text = error else { return }
    defer { rocksdb_free(text) }
    error = nil
    throw PeerFailure("RocksDB", what, String(cString: text))
  }

  /// One thread that writes the debits of a batch at once, after having read and decided.
  private final class RocksDBBatches: PeerSession, @unchecked Sendable {
    private let opening: RocksDBOpening
    private let writing = rocksdb_writeoptions_create()
    private let batch = rocksdb_writebatch_create()
    /// The accounts and requests that the batch has changed so far.
    private var balances: [Int: (Int64, UInt64)] = [:]
    private var requests: Set<SIMD2<UInt64>> = []

    init(_ opening: RocksDBOpening, _ durability: PeerDurability) {
      self.opening = opening
      rocksdb_writeoptions_set_sync(writing, durability == .durable ? 1 : 0)
    }

    func debit(_ debits: [PeerDebit]) throws -> Int {
      balances.removeAll(keepingCapacity: true)
      requests.removeAll(keepingCapacity: true)
      rocksdb_writebatch_clear(batch)
      var done = 0
      for debit in debits where try decide(debit) { done += 1 }
      for (account, state) in balances { put(RocksDBKey(account: account), state, to: batch) }
      var error: UnsafeMutablePointer<CChar>?
      rocksdb_write(opening.base, writing, batch, &error)
      try check("write", &error)
      return done
    }

    private func decide(_ debit: PeerDebit) throws -> Bool {
      let request = RocksDBKey(debit)
      let isNew = try get(request) { _ in true } == nil
      guard isNew, requests.insert([debit.high, debit.low]).inserted else { return false }
      let stored = try get(RocksDBKey(account: debit.account)) { $0.loadUnaligned(as: (Int64, UInt64).self) }
      guard var state = balances[debit.account] ?? stored, state.0 >= debit.amount else { return false }
      state = (state.0 - debit.amount, state.1 + 1)
      balances[debit.account] = state
      put(request, Record(debit, balance: state.0), to: batch)
      return true
    }

    private func get<R>(_ key: RocksDBKey, _ body: (UnsafeRawPointer) -> R) throws -> R? {
      var error: UnsafeMutablePointer<CChar>?
      let slice = key.withBytes { rocksdb_get_pinned(opening.base, opening.reading, $0, $1, &error) }
      try check("get", &error)
      guard let slice else { return nil }
      defer { rocksdb_pinnableslice_destroy(slice) }
      var length = 0
      return rocksdb_pinnableslice_value(slice, &length).map { body(UnsafeRawPointer($0)) }
    }

    func close() {
      rocksdb_writeoptions_destroy(writing)
      rocksdb_writebatch_destroy(batch)
    }
  }

  /// One of many threads whose transactions lock the account, and are committed in groups.
  private final class RocksDBTransactions: PeerSession, @unchecked Sendable {
    private let opening: RocksDBOpening
    private let writing = rocksdb_writeoptions_create()
    private let choices = rocksdb_transaction_options_create()
    private var transaction: OpaquePointer?

    init(_ opening: RocksDBOpening, _ durability: PeerDurability) {
      self.opening = opening
      rocksdb_writeoptions_set_sync(writing, durability == .durable ? 1 : 0)
      rocksdb_transaction_options_set_lock_timeout(choices, 30_000)
    }

    func debit(_ debits: [PeerDebit]) throws -> Int {
      transaction = rocksdb_transaction_begin(opening.transactional, writing, choices, transaction)
      var done = 0
      do {
        for debit in debits where try self.debit(debit) { done += 1 }
      } catch {
        var ignored: UnsafeMutablePointer<CChar>?
        rocksdb_transaction_rollback(transaction, &ignored)
        throw error
      }
      var error: UnsafeMutablePointer<CChar>?
      rocksdb_transaction_commit(transaction, &error)
      try check("commit", &error)
      return done
    }

    private func debit(_ debit: PeerDebit) throws -> Bool {
      let key = RocksDBKey(account: debit.account)
      // The account's lock covers its requests, too.
      guard var state = try get(key, forUpdate: true, { $0.loadUnaligned(as: (Int64, UInt64).self) }),
        state.0 >= debit.amount
      else { return false }
      let request = RocksDBKey(debit)
      guard try get(request, forUpdate: false, { _ in true }) == nil else { return false }
      state = (state.0 - debit.amount, state.1 + 1)
      try put(key, state)
      try put(request, Record(debit, balance: state.0))
      return true
    }

    private func get<R>(_ key: RocksDBKey, forUpdate: Bool, _ body: (UnsafeRawPointer) -> R) throws -> R? {
      var error: UnsafeMutablePointer<CChar>?
      let slice = key.withBytes { bytes, count in
        forUpdate
          ? rocksdb_transaction_get_pinned_for_update(transaction, opening.reading, bytes, count, 1, &error)
          : rocksdb_transaction_get_pinned(transaction, opening.reading, bytes, count, &error)
      }
      try check("get", &error)
      guard let slice else { return nil }
      defer { rocksdb_pinnableslice_destroy(slice) }
      var length = 0
      return rocksdb_pinnableslice_value(slice, &length).map { body(UnsafeRawPointer($0)) }
    }

    private func put(_ key: RocksDBKey, _ value: some BitwiseCopyable) throws {
      var error: UnsafeMutablePointer<CChar>?
      withUnsafeBytes(of: value) { value in
        key.withBytes { bytes, count in
          rocksdb_transaction_put(
            transaction, bytes, count, value.baseAddress?.assumingMemoryBound(to: CChar.self), value.count, &error)
        }
      }
      try check("put", &error)
    }

    func close() {
      if let transaction { rocksdb_transaction_destroy(transaction) }
      rocksdb_writeoptions_destroy(writing)
      rocksdb_transaction_options_destroy(choices)
    }
  }
#endif
