internal import CLMDB

/// Calls `body` with a number as LMDB sees a key: eight bytes in the machine's order.
@inline(__always)
func withCValue<Result, E: Error>(
  of number: UInt64, _ body: (UnsafeMutablePointer<MDB_val>) throws(E) -> Result
) throws(E) -> Result {
  var number = number
  return try unsafe withUnsafeMutableBytes(of: &number) { bytes throws(E) -> Result in
    // The number outlives the call, and LMDB copies or compares a key but never keeps its address.
    var value = unsafe MDB_val(mv_size: bytes.count, mv_data: bytes.baseAddress)
    return try unsafe body(&value)
  }
}

/// Calls `body` with bytes as LMDB sees a key or a value.
@inline(__always)
func withCValue<Result, E: Error>(
  of bytes: RawSpan, _ body: (UnsafeMutablePointer<MDB_val>) throws(E) -> Result
) throws(E) -> Result {
  try unsafe bytes.withUnsafeBytes { bytes throws(E) -> Result in
    // LMDB never writes through the address it is given here; its C type merely lacks the `const`.
    var value = unsafe MDB_val(
      mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
    return try unsafe body(&value)
  }
}

extension MDB_val {
  /// The bytes in LMDB's map; valid as long as the transaction's view of them.
  @inline(__always)
  var bytes: UnsafeRawBufferPointer {
    // LMDB sets both together; a buffer that is used too late is the fault of whoever keeps it.
    unsafe UnsafeRawBufferPointer(start: mv_data, count: mv_size)
  }
}
