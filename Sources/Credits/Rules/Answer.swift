/// The answer to a command.
package enum Answer: Hashable, Sendable {
  case done(Receipt)
  case denied(Denial)

  /// The answer that a record gives to its request.
  package init(_ record: borrowing Record, at sequence: SequenceNumber, isReplay: Bool) {
    let entry = record.entry
    guard entry.kind == .denied else {
      self = .done(
        Receipt(
          sequence: sequence, time: entry.time, amount: entry.amount, balance: entry.available, isReplay: isReplay,
          number: entry.kind == .methodSaved || entry.kind == .ordered ? entry.units : 0))
      return
    }
    let code = Entry.DenialCode(rawValue: entry.detail) ?? .limit
    let reason = Denial.Reason(code, available: entry.available, needed: entry.amount)
    self = .denied(Denial(reason: reason, sequence: sequence, time: entry.time, isReplay: isReplay))
  }
}

extension Denial.Reason {
  /// The reason that a code of the journal stands for.
  init(_ code: Entry.DenialCode, available: Amount, needed: Amount) {
    switch code {
    case .insufficient: self = .insufficient(available: available, needed: needed)
    case .frozen: self = .frozen
    case .closed: self = .closed
    case .limit: self = .limit
    case .noPrice: self = .noPrice
    case .unknownFeature: self = .unknownFeature
    case .unknownModel: self = .unknownModel
    case .unknownTier: self = .unknownTier
    case .unknownUnit: self = .unknownUnit
    case .priceChanged: self = .priceChanged
    case .noPlan: self = .noPlan
    case .noMethod: self = .noMethod
    case .noRefill: self = .noRefill
    case .corrected: self = .alreadyCorrected
    case .noCharge: self = .noCharge
    }
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
