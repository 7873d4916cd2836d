/// The answer to a command.
package enum Answer: Hashable, Sendable {
  case done(Receipt)
  case denied(Denial)

  /// The answer that a record gives to its request.
  package init(_ record: borrowing Record, at sequence: SequenceNumber, isReplay: Bool) {
    let entry = record.entry
    guard entry.kind == .denied else {
      let number: UInt32 =
        switch entry.kind {
        case .methodSaved, .ordered: entry.units
        case .captured, .released: UInt32(entry.detail)
        default: 0
        }
      self = .done(
        Receipt(
          sequence: sequence, time: entry.time, amount: entry.amount, balance: entry.available, isReplay: isReplay,
          number: number))
      return
    }
    let reason: Denial.Reason =
      switch Entry.DenialCode(rawValue: entry.detail) {
      case .insufficient: .insufficient(available: entry.available, needed: entry.amount)
      case .frozen: .frozen
      case .closed: .closed
      case .limit, nil: .limit
      case .noPrice: .noPrice
      case .unknownFeature: .unknownFeature
      case .unknownModel: .unknownModel
      case .unknownTier: .unknownTier
      case .unknownUnit: .unknownUnit
      case .priceChanged: .priceChanged
      case .noPlan: .noPlan
      case .noMethod: .noMethod
      case .noRefill: .noRefill
      case .corrected: .alreadyCorrected
      case .noCharge: .noCharge
      }
    self = .denied(Denial(reason: reason, sequence: sequence, time: entry.time, isReplay: isReplay))
  }
}

extension Answer {
  /// The answer to a request of which nothing is recorded.
  package static func notRecorded(_ reason: Denial.Reason, at time: Timestamp) -> Answer {
    .denied(Denial(reason: reason, sequence: nil, time: time, isReplay: false))
  }

  /// The entry that records the answer.
  package var sequence: SequenceNumber? {
    switch self {
    case .done(let receipt): receipt.sequence
    case .denied(let denial): denial.sequence
    }
  }
}
