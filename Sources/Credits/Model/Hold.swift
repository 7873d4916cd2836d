/// Credits set aside for a request whose final cost is not known yet: captured once, or released.
public struct Hold: Hashable, Sendable {
  /// What becomes of a hold at its deadline.
  public enum End: UInt8, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    /// It is released: the credits can be used again.
    case release = 0
    /// All of it is captured.
    case capture = 1

    /// The end's name.
    public var description: String {
      switch self {
      case .release: "release"
      case .capture: "capture"
      }
    }
  }

  /// The account whose credits are set aside.
  public let account: AccountID

  /// The request that made the hold, and by which it is captured or released.
  public let request: RequestID

  /// The credits that are set aside.
  public let amount: Amount

  /// The moment at which the hold ends by itself.
  public let deadline: Timestamp

  /// What becomes of it at its deadline.
  public let end: End

  /// The hold's number within its account, from 1 upwards.
  public let number: UInt32

  /// What was set aside of each grant, in the order of use: `remaining` is the part.
  package private(set) var parts: [Grant]

  package init(
    account: AccountID, request: RequestID, number: UInt32, amount: Amount, deadline: Timestamp, end: End,
    parts: [Grant]
  ) {
    self.account = account
    self.request = request
    self.number = number
    self.amount = amount
    self.deadline = deadline
    self.end = end
    self.parts = parts
  }
}

extension Hold {
  /// Lets the parts of some grants expire, unless they have already.
  mutating func expire(_ grants: [UInt32], at now: Timestamp) {
    parts = parts.map { part in
      guard grants.contains(part.number), part.expires > now else { return part }
      return Grant(
        number: part.number, kind: part.kind, priority: part.priority, amount: part.amount, remaining: part.remaining,
        starts: part.starts, expires: now)
    }
  }
}

extension RequestID {
  /// The request under which the end of a hold is recorded, whoever ends it: so a hold has one end, and every further
  /// attempt gets that answer.
  package var endOfHold: RequestID {
    RequestID(high: high ^ 0x9B1D_5E42_C0A7_3F61, low: low ^ 0x27D4_EB2F_1656_67C5).untimed
  }

  /// The request under which what is captured beyond a hold is recorded.
  package var excessOfHold: RequestID {
    RequestID(high: high ^ 0x63C5_A1F8_0D29_7E4B, low: low ^ 0x85EB_CA77_C2B2_AE3D).untimed
  }

  /// The id marked as a version 8 UUID, which carries no time.
  private var untimed: RequestID {
    RequestID(
      high: high & 0xFFFF_FFFF_FFFF_0FFF | 0x8000, low: low & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
  }
}

/// What came of the capture of a hold.
public struct HoldOutcome: Hashable, Sendable {
  /// How a hold came to its end.
  public enum Cause: UInt8, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    /// A caller asked for it.
    case caller = 0
    /// Its deadline came.
    case deadline = 1

    /// The cause's name.
    public var description: String {
      switch self {
      case .caller: "caller"
      case .deadline: "deadline"
      }
    }
  }

  /// The entry that ended the hold; its amount is what was taken of the held credits, nothing where it was released.
  public let receipt: Receipt

  /// Who or what ended the hold.
  public let cause: Cause

  /// What came of the part that goes beyond the hold: taken or denied. Nil where no more was asked for than held.
  public let excess: Outcome?

  /// All credits that were taken, in and beyond the hold.
  public var captured: Amount {
    if case .debited(let more)? = excess { receipt.amount + more.amount } else { receipt.amount }
  }

  package init(receipt: Receipt, cause: Cause, excess: Outcome?) {
    self.receipt = receipt
    self.cause = cause
    self.excess = excess
  }
}
