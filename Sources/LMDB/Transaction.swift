/// What can be read in a transaction, whether it also writes or not.
///
/// A transaction sees the store as it was when the transaction began, and its own changes.
public protocol Transaction: ~Copyable {
  /// The number of the commit that the transaction sees; a write transaction's is the number it will commit.
  var number: UInt64 { get }

  /// The value of a key in a table of integers; `nil` if there is none. O(log n), no allocation, no copy.
  @_lifetime(borrow self)
  func get(_ key: UInt64, from table: Table) throws(LMDBError) -> RawSpan?

  /// The value of a key in a table of bytes; `nil` if there is none. O(log n), no allocation, no copy.
  @_lifetime(borrow self)
  func get(_ key: RawSpan, from table: Table) throws(LMDBError) -> RawSpan?

  /// A cursor that reads the table, on no entry yet.
  @_lifetime(borrow self)
  func cursor(on table: Table) throws(LMDBError) -> Cursor<Reading>

  /// How large a table is. O(1).
  func statistics(of table: Table) throws(LMDBError) -> Table.Statistics
}
