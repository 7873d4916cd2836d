internal import CLMDB

// The unsafe calls of this file rely on this: the transaction is live until the commit or the abort in `openTables`.

extension Environment {
  /// Opens tables, once at the start and before any other transaction of this process; creates those that are missing.
  ///
  /// Returns them in the order of the definitions. A read-only environment throws
  /// ``LMDBError/Code/missingTable(_:)`` for one that is missing. A table with the other kind of keys throws
  /// ``LMDBError/Code/incompatible``.
  public func openTables(_ definitions: [Table.Definition]) throws(LMDBError) -> [Table] {
    let mayCreate = settings.access == .readWrite
    let transaction = try begin(mayCreate ? 0 : MDB_RDONLY)
    defer { gate.leave() }
    var tables: [Table] = []
    do throws(LMDBError) {
      for definition in definitions {
        tables.append(try transaction.openTable(definition, mayCreate: mayCreate))
      }
    } catch {
      transaction.abort()
      throw error
    }
    // Handles of tables outlive their transaction only if it commits, even one that only read.
    try check(unsafe mdb_txn_commit(transaction.pointer), "mdb_txn_commit")
    return tables
  }
}

extension TransactionHandle {
  fileprivate func openTable(
    _ definition: Table.Definition, mayCreate: Bool
  ) throws(LMDBError) -> Table {
    let keyFlag = definition.keys == .integers ? MDB_INTEGERKEY : 0
    let flags = mayCreate ? keyFlag | MDB_CREATE : keyFlag
    var identifier: UInt32 = 0
    let code = unsafe mdb_dbi_open(pointer, definition.name, UInt32(flags), &identifier)
    if code == MDB_NOTFOUND {
      throw LMDBError(.missingTable(definition.name), in: "mdb_dbi_open", rawCode: code)
    }
    try check(code, "mdb_dbi_open")
    // LMDB ignores flags that differ from those of an existing table.
    var found: UInt32 = 0
    try check(unsafe mdb_dbi_flags(pointer, identifier, &found), "mdb_dbi_flags")
    guard Int32(found) & MDB_INTEGERKEY == keyFlag else {
      throw LMDBError(.incompatible, in: "mdb_dbi_flags")
    }
    return Table(identifier: identifier, keys: definition.keys)
  }
}
