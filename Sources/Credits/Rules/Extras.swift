/// What few accounts have beside their grants: holds, a plan, alerts, payment methods, charges.
package struct Extras: Hashable, Sendable {
  /// The grants that start later, soonest first.
  package var pending: [Grant] = []
  /// The open holds, oldest first.
  package var holds: [Hold] = []
  /// The plan.
  package var plan: Subscription?
  /// The levels of available credits that are told when they are crossed, highest first.
  package var alerts: [Amount] = []
  /// How auto-refill stands.
  package var refill = RefillState()
  /// The saved payment methods, oldest first.
  package var methods: [PaymentMethod] = []
  /// The open charges, oldest first; at most one is a refill.
  package var charges: [Charge] = []
  /// The latest charges that ended without credits, oldest first: should the provider after all say that one was paid,
  /// it is credited.
  package var unpaid: [Charge] = []
  /// The debits that were made good, each at most once.
  package var corrected: [SequenceNumber] = []
  /// The number of the latest hold.
  package var lastHold: UInt32 = 0
  /// The number of the latest payment method.
  package var lastMethod: UInt32 = 0
  /// The number of the latest charge.
  package var lastCharge: UInt32 = 0

  package init() {}

  /// The most open holds of an account.
  package static let maximumHolds = 256
  /// The most alerts of an account.
  package static let maximumAlerts = 16
  /// The most saved payment methods of an account.
  package static let maximumMethods = 16
  /// The most open charges of an account.
  package static let maximumCharges = 16
  /// The most ended charges without credits that an account remembers.
  package static let maximumUnpaid = 8
  /// The most corrections of an account.
  package static let maximumCorrections = 4_096

  /// The highest number of a grant, hold, method or charge in an image, so that counting on cannot overflow; the rules
  /// stop earlier.
  static let highestNumber: UInt32 = 3_000_000_000

  /// Whether the parts fit together, as far as they can be checked by themselves.
  var isSound: Bool {
    holds.count <= Extras.maximumHolds && charges.count <= Extras.maximumCharges + 1
      && isRising(holds.map(\.number), upTo: lastHold) && isRising(methods.map(\.number), upTo: lastMethod)
      && isRising(charges.map(\.number), upTo: lastCharge)
      && holds.allSatisfy { hold in
        Set(hold.parts.map(\.number)).count == hold.parts.count
          && hold.parts.reduce(0) { $0 + $1.remaining } == hold.amount
      }
      && (charges + unpaid).allSatisfy { $0.number <= lastCharge && $0.isSound }
      && charges.filter { $0.kind == .refill }.count <= 1 && Set(corrected).count == corrected.count
      && pending.allSatisfy { $0.amount > 0 && $0.remaining == $0.amount }
      && zip(pending, pending.dropFirst()).allSatisfy { $0.starts <= $1.starts }
      && alerts.allSatisfy { $0 > 0 } && zip(alerts, alerts.dropFirst()).allSatisfy { $0 > $1 }
      && (plan?.isSound ?? true) && refill.isSound
  }

  /// Whether numbers rise from 1 on, up to the last that was given.
  private func isRising(_ numbers: [UInt32], upTo last: UInt32) -> Bool {
    last <= Extras.highestNumber && zip([0] + numbers, numbers).allSatisfy { $0 < $1 } && (numbers.last ?? 0) <= last
  }

  /// The highest level, armed at an amount of available credits, below which something is told or bought.
  func level(below available: Amount) -> Amount {
    var level = alerts.first { $0 <= available } ?? 0
    if let threshold = refill.terms?.threshold, threshold <= available, threshold > level { level = threshold }
    return level
  }

  /// The next moment at which something happens by itself.
  var nextMoment: Timestamp {
    var next = min(pending.first?.starts ?? .never, plan?.next ?? .never)
    for hold in holds where hold.deadline < next { next = hold.deadline }
    if let until = refill.coolingUntil, until < next { next = until }
    if let until = refill.cappedUntil, until < next { next = until }
    return next
  }

  /// Everything that is not for the record ends with the account; charges that were sent go on.
  mutating func end() {
    pending = []
    holds = []
    plan = nil
    alerts = []
    refill = RefillState()
    charges.removeAll { $0.status == .due }
  }
}

extension Subscription {
  /// Whether amounts are in range, so that sums of them cannot overflow, and the next period is one that the clock of a
  /// store can have missed, so that those to be caught up with are no thousands of years.
  fileprivate var isSound: Bool {
    next > .zero && given >= 0 && given.millionths < .max / 2
      && [plan, change?.plan ?? plan].allSatisfy { plan in
        plan.allowance >= 0 && plan.allowance.millionths < .max / 2 && plan.rollover >= 0
      }
  }
}

extension Charge {
  /// Whether amounts and counts are in range.
  fileprivate var isSound: Bool {
    number > 0 && credits > 0 && credits.millionths < .max / 2 && price.minor > 0 && attempts <= Extras.highestNumber
  }
}

extension RefillState {
  /// Whether amounts and counts are in range.
  fileprivate var isSound: Bool {
    (terms?.isValid ?? true) && declines <= Extras.highestNumber && (charged?.minor ?? 0) >= 0
  }
}
