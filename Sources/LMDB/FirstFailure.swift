/// The first error of a write transaction, which is the cause of all that follow.
///
/// A class, because the transaction and its cursors share it; one is made per write transaction, none per entry.
final class FirstFailure {
  private(set) var error: LMDBError?

  func note(_ error: LMDBError) {
    if self.error == nil { self.error = error }
  }
}
