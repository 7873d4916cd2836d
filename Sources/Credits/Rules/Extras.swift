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

  /// Whether the parts fit together, as far as they can be checked by themselves.
  var isSound: Bool {
    holds.count <= Extras.maximumHolds && charges.count <= Extras.maximumCharges + 1
      && holds.allSatisfy { $0.number <= lastHold && $0.parts.reduce(0) { $0 + $1.remaining } == $0.amount }
      && charges.allSatisfy { $0.number <= lastCharge } && methods.allSatisfy { $0.number <= lastMethod }
      && charges.filter { $0.kind == .refill }.count <= 1 && Set(corrected).count == corrected.count
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
