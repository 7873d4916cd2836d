public import Credits

/// One step of a workload.
public enum WorkloadStep: Sendable {
  /// A request.
  case request(ReferenceRequest, Acknowledgement)
  /// Debits in one call.
  case batch([ReferenceRequest], Acknowledgement)
  /// The wall clock shows another time; it may be an earlier one.
  case clock(Timestamp)
  /// Time does its work on all accounts.
  case tick
  /// The store is closed and opened.
  case reopen
  /// A copy of the running store is opened in its place, as after a crash.
  case restore
  /// All accounts are compared.
  case audit
}
