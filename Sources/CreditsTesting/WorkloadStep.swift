public import Credits

/// One step of a workload.
public enum WorkloadStep: Sendable {
  /// A request.
  case request(ReferenceRequest, Acknowledgement)
  /// Debits in one call.
  case batch([ReferenceRequest], Acknowledgement)
  /// Debits by usage in one call.
  case usages([ReferenceRequest], Acknowledgement)
  /// A quote is asked for and kept.
  case quote(Usage)
  /// A price book becomes the next version.
  case publish(PriceBook)
  /// The wall clock shows another time; it may be an earlier one.
  case clock(Timestamp)
  /// Time does its work on all accounts.
  case tick
  /// Every charge that is ready is taken one step further; the payment provider does one act after the other.
  case work([ScriptedGateway.Act])
  /// The next charge that is ready is taken to the payment provider, and the store is lost before it has the answer: a
  /// copy that was made meanwhile is opened in its place.
  case crash(ScriptedGateway.Act)
  /// The payment provider comes to an end with one of the orders that it knows: it charges the card, or does not.
  case end(order: Int, charges: Bool)
  /// A notice that the payment provider has sent arrives, counted from the latest; it may arrive again.
  case notice(Int, again: Bool)
  /// Somebody reports something of a charge, true or not.
  case report(ChargeOutcome, charge: UInt32, of: AccountID)
  /// Charges may be sent again.
  case resumeCharges
  /// The store is closed and opened.
  case reopen
  /// A copy of the running store is opened in its place, as after a crash.
  case restore
  /// All accounts are compared.
  case audit
}
