/// What a customer gets each period: an allowance of credits.
public struct Plan: Hashable, Sendable {
  /// The plan's name, at most 255 bytes.
  public let name: String

  /// The credits of one period.
  public let allowance: Amount

  /// How often the allowance comes.
  public let period: Period

  /// The most credits that go over into the next period; the rest of the old allowance expires.
  public let rollover: Amount

  /// The order of use of the allowance, lower first.
  public let priority: UInt8

  /// Describes a plan.
  public init(
    _ name: String, allowance: Amount, per period: Period, rollover: Amount = 0,
    priority: UInt8 = Grant.Source.Kind.allowance.priority
  ) {
    self.name = name
    self.allowance = allowance
    self.period = period
    self.rollover = rollover
    self.priority = priority
  }
}

/// An account's plan, and where in its periods it is.
public struct Subscription: Hashable, Sendable {
  /// A plan that takes over at the end of the present period, with the anchor of its periods.
  public struct Change: Hashable, Sendable {
    /// The plan that takes over.
    public let plan: Plan
    /// The anchor of its periods; nil where they count from the moment it takes over.
    public let anchor: Timestamp?

    package init(plan: Plan, anchor: Timestamp?) {
      self.plan = plan
      self.anchor = anchor
    }
  }

  /// The plan of the present period.
  public package(set) var plan: Plan

  /// The moment from which the periods are counted.
  public package(set) var anchor: Timestamp

  /// The end of the present period: the moment of the next allowance.
  public package(set) var next: Timestamp

  /// The plan that takes over at the end of the present period, if there is one.
  public package(set) var change: Change?

  /// Whether the plan ends with the present period.
  public package(set) var ends = false

  /// The grants of the present period's allowance.
  package var grants: [UInt32] = []

  /// What the present period's allowance is, so that a change of plan gives no second one.
  package var given: Amount = 0

  package init(plan: Plan, anchor: Timestamp, next: Timestamp) {
    self.plan = plan
    self.anchor = anchor
    self.next = next
  }
}

extension Subscription {
  /// The period that begins at the end of the present one.
  package struct Renewal: Hashable, Sendable {
    package let plan: Plan
    package let anchor: Timestamp
    /// The end of the period that begins.
    package let next: Timestamp
    /// Its allowance: less than the plan's where a moved anchor makes the period shorter, in proportion.
    package let allowance: Amount
  }

  /// The period that begins at the end of the present one, always worked out from the anchor.
  package var renewal: Renewal {
    let plan = change?.plan ?? plan
    let anchor = change.map { $0.anchor ?? next } ?? anchor
    let index = plan.period.index(at: next, from: anchor)
    let start = plan.period.boundary(index, from: anchor)
    let end = plan.period.boundary(index + 1, from: anchor)
    guard start < next, end > next, end < .latest else {
      return Renewal(
        plan: plan, anchor: anchor, next: end > next && end < .latest ? end : .never, allowance: plan.allowance)
    }
    let part = Int128(plan.allowance.millionths) * (Int128(end.microseconds) - Int128(next.microseconds))
    let whole = Int128(end.microseconds) - Int128(start.microseconds)
    return Renewal(plan: plan, anchor: anchor, next: end, allowance: Amount(millionths: Int64(part / whole)))
  }
}
