internal import Credits

/// What a verb of the store answers.
enum ReferenceAnswer: Hashable, Sendable {
  /// A receipt, or a denial.
  case outcome(Outcome)
  /// A hold was made.
  case held(Hold)
  /// A hold ended.
  case ended(HoldOutcome)
  /// A payment method was saved.
  case saved(PaymentMethod)
  /// A purchase was noted.
  case ordered(Receipt, number: UInt32, Pack)
  /// The catalogue does not sell it.
  case notSold

  /// The answer, marked as that of an earlier request.
  var replayed: ReferenceAnswer {
    switch self {
    case .outcome(let outcome): .outcome(outcome.replayed)
    case .ended(let outcome):
      .ended(HoldOutcome(receipt: outcome.receipt.replayed, cause: outcome.cause, excess: outcome.excess?.replayed))
    case .ordered(let receipt, let number, let pack): .ordered(receipt.replayed, number: number, pack)
    case .held, .saved, .notSold: self
    }
  }
}

extension Outcome {
  /// The outcome, marked as that of an earlier request.
  var replayed: Outcome {
    switch self {
    case .debited(let receipt): .debited(receipt.replayed)
    case .denied(let denial):
      .denied(Denial(reason: denial.reason, sequence: denial.sequence, time: denial.time, isReplay: true))
    }
  }
}

extension Receipt {
  /// The receipt, marked as that of an earlier request.
  fileprivate var replayed: Receipt {
    Receipt(sequence: sequence, time: time, amount: amount, balance: balance, isReplay: true, number: number)
  }
}
