/// The steps of a charge after each of which a process is killed.
public enum ChargeStep: Int, Sendable, CaseIterable {
  /// The intent is decided, and nobody has waited until it is durable.
  case decided
  /// The intent is durable.
  case intended
  /// The store has noted that the charge is being sent, and the call is about to reach the payment provider.
  case called
  /// The card is charged, and the answer is not sent yet.
  case charged
  /// The answer is on its way, and is being booked.
  case answered
  /// The answer was lost, and it is booked that nothing is known.
  case lost
  /// The outcome is booked.
  case booked
}

/// What makes the charge.
public enum ChargeCause: Int, Sendable, CaseIterable {
  case refill
  case purchase
}
