/// The fixed part of a journal entry: 80 bytes, in memory as on disk.
///
/// The layout is the file format (see "The file format" in the documentation): little-endian integers of fixed width,
/// in this order, without gaps. Items may follow.
package struct Entry: BitwiseCopyable, Sendable {
  /// What happened, as the code of a `Kind`: an enumeration's own layout in memory is not its raw value.
  private let code: UInt8
  /// More about what happened, by kind: the source of a grant, the reason of a denial, the extent of a debit.
  package var detail: UInt8 = 0
  /// The length of the entry with its items, in words of 8 bytes.
  package var words: UInt16 = UInt16(Entry.size / 8)
  /// The grant concerned, or the first one that was used. For a denial: what was asked, `Entry.Asked`.
  package var grant: UInt32 = 0
  /// The account concerned.
  package var account: AccountID
  /// The request that asked for it; none where time did it.
  package var request: RequestID
  /// The amount concerned.
  package var amount: Amount
  /// What the account had available afterwards.
  package var available: Amount
  /// The moment it was decided at.
  package var time: Timestamp
  /// The account's entry before this one.
  package var previous: SequenceNumber
  /// The price that was applied: a row of the store's table of prices, 0 for none.
  package var price: UInt32 = 0
  /// The units that were priced; the priority of a grant; the number of a charge or a payment method.
  package var units: UInt32 = 0

  /// The length of the fixed part in bytes.
  package static let size = 80

  /// The most grants that an account may have with credits left, so that an entry's parts fit into a block.
  package static let maximumGrants = 1_000

  /// The kinds of entry, with the codes that the journal uses, below 64.
  package enum Kind: UInt8, BitwiseCopyable, Sendable, CaseIterable {
    case opened = 1
    case granted = 2
    case begun = 3
    case debited = 4
    case denied = 5
    case expired = 6
    case frozen = 7
    case unfrozen = 8
    case closed = 9
    case held = 10
    case captured = 11
    case released = 12
    case subscribed = 13
    case renewed = 14
    case unsubscribed = 15
    case ended = 16
    case alertsSet = 17
    case alerted = 18
    case exhausted = 19
    case refillSet = 20
    case rearmed = 21
    case capped = 22
    case due = 23
    case ordered = 24
    case charging = 25
    case credited = 26
    case declined = 27
    case needsAction = 28
    case unsettled = 29
    case cancelled = 30
    case mismatched = 31
    case disputed = 32
    case methodSaved = 33
    case methodRemoved = 34

    /// The codes of all kinds, none of which is missing.
    @inline(__always) static var codes: ClosedRange<UInt8> { opened.rawValue...methodRemoved.rawValue }

    /// Whether an entry of the kind ends a hold.
    package var endsHold: Bool { self == .captured || self == .released }

    /// Whether an entry of the kind may be about usage with a price.
    package var isPriced: Bool { self == .debited || self == .held || self == .captured || self == .denied }

    /// Whether an entry of the kind may open or end a charge.
    package var isOfCharge: Bool {
      rawValue >= Kind.due.rawValue && rawValue <= Kind.mismatched.rawValue || self == .closed
    }
  }

  /// The reasons of a recorded denial, with the codes that the journal uses.
  package enum DenialCode: UInt8, Sendable, CaseIterable {
    case insufficient = 1
    case frozen = 2
    case closed = 3
    case limit = 4
    case noPrice = 5
    case unknownFeature = 6
    case unknownModel = 7
    case unknownTier = 8
    case unknownUnit = 9
    case priceChanged = 10
    case noPlan = 11
    case noMethod = 12
    case noRefill = 13
    case corrected = 14
    case noCharge = 15
  }

  /// What happened.
  package var kind: Kind {
    guard let kind = Kind(rawValue: code) else { preconditionFailure("an entry is made with a known kind only") }
    return kind
  }

  package init(
    _ kind: Kind, account: AccountID, request: RequestID, amount: Amount, available: Amount, time: Timestamp,
    previous: SequenceNumber
  ) {
    self.init(
      kind.rawValue, account: account, request: request, amount: amount, available: available, time: time,
      previous: previous)
  }

  /// - Parameter code: That of a kind.
  @inline(__always) init(
    _ code: UInt8, account: AccountID, request: RequestID, amount: Amount, available: Amount, time: Timestamp,
    previous: SequenceNumber
  ) {
    self.code = code
    self.account = account
    self.request = request
    self.amount = amount
    self.available = available
    self.time = time
    self.previous = previous
  }
}

/// A part of an entry that not every entry has.
package enum Item: Hashable, Sendable {
  /// What was taken from one more grant than the entry's first.
  case part(grant: UInt32, amount: Amount)
  /// A text.
  case text(Text, String)
  /// The start and expiry of a grant, as they were asked for: zero and never where nothing was asked.
  case times(starts: Timestamp, expires: Timestamp)
  /// The amount that was asked for, where another one was taken.
  case asked(Amount)
  /// What went from a hold back to a grant.
  case returned(grant: UInt32, amount: Amount)
  /// What was left of a grant and expired with the entry.
  case lapsed(grant: UInt32, amount: Amount)
  /// What was left of a grant and went into the one that the entry gives.
  case rolled(grant: UInt32, amount: Amount)
  /// A moment.
  case moment(Moment, Timestamp)
  /// A further amount.
  case amount(Quantity, Amount)
  /// A number.
  case number(Number, UInt64)
  /// An amount of money.
  case money(Sum, Money)
  /// The request of another entry.
  case request(RequestID)

  /// The kinds of text, with the codes that the journal uses.
  package enum Text: UInt32, Sendable, CaseIterable {
    case label = 1
    case reference = 2
    case reason = 3
    case feature = 4
    case model = 5
    case tier = 6
    case unit = 7
    case plan = 8
    case agent = 9
    case token = 10
    case brand = 11
    case lastFour = 12
    case consent = 13
    case link = 14

    /// The most bytes of a text of this kind: the addresses that payment providers send are long.
    package var maximum: Int { self == .link ? 2_048 : Item.maximumText }
  }

  /// The kinds of moment, with the codes that the journal uses.
  package enum Moment: UInt32, Sendable, CaseIterable {
    case askedAnchor = 1
    case anchor = 2
    case boundary = 3
    case next = 4
    case until = 5
    case quoted = 6
  }

  /// The kinds of further amount, with the codes that the journal uses.
  package enum Quantity: UInt32, Sendable, CaseIterable {
    case allowance = 1
    case rollover = 2
    case level = 3
    case pack = 4
    case named = 5
    case held = 6
  }

  /// The kinds of number, with the codes that the journal uses. Those from 16 on are the counts of a usage's units.
  package enum Number: UInt32, Sendable, CaseIterable {
    case period = 1
    case duration = 2
    case method = 3
    case attempts = 4
    case cardExpiry = 5
    case names = 6
    case priority = 7
    case count0 = 16
    case count1 = 17
    case count2 = 18
    case count3 = 19
  }

  /// The kinds of sum of money, with the codes that the journal uses.
  package enum Sum: UInt32, Sendable, CaseIterable {
    case price = 1
    case cap = 2
    case told = 3
  }

  /// The most bytes of a text, but for addresses.
  package static let maximumText = 255
}

/// An entry with its items.
package struct Record: Sendable {
  package var entry: Entry
  package var items: [Item] = []

  package init(_ entry: Entry, _ items: [Item] = []) {
    self.entry = entry
    self.items = items
    self.entry.words = UInt16(items.reduce(Entry.size) { $0 + $1.size } / 8)
  }

  /// The text of a kind that the entry carries.
  package func text(_ kind: Item.Text) -> String? {
    for case .text(kind, let text) in items { return text }
    return nil
  }

  /// The moment of a kind that the entry carries.
  package func moment(_ kind: Item.Moment) -> Timestamp? {
    for case .moment(kind, let time) in items { return time }
    return nil
  }

  /// The number of a kind that the entry carries.
  package func number(_ kind: Item.Number) -> UInt64? {
    for case .number(kind, let number) in items { return number }
    return nil
  }

  /// The further amount of a kind that the entry carries.
  package func amount(_ kind: Item.Quantity) -> Amount? {
    for case .amount(kind, let amount) in items { return amount }
    return nil
  }

  /// The further amounts of a kind that the entry carries, in order.
  package func amounts(_ kind: Item.Quantity) -> [Amount] {
    var amounts: [Amount] = []
    for case .amount(kind, let amount) in items { amounts.append(amount) }
    return amounts
  }

  /// The sum of money of a kind that the entry carries.
  package func money(_ kind: Item.Sum) -> Money? {
    for case .money(kind, let money) in items { return money }
    return nil
  }

  /// Whether a debit took all that was asked for from one grant.
  package var isOfOneGrant: Bool {
    for item in items {
      guard case .number = item else { return false }
    }
    return true
  }

  /// What was taken from each grant, in the order of use.
  package var parts: [(grant: UInt32, amount: Amount)] {
    // Wrapping, as nobody has checked the amounts yet: parts that overflow are more than any grant has.
    var first = entry.amount
    var others: [(grant: UInt32, amount: Amount)] = []
    for case .part(let grant, let amount) in items {
      first = Amount(millionths: first.millionths &- amount.millionths)
      others.append((grant, amount))
    }
    // The end of a hold names the hold in the grant's place, and all of its parts as items.
    return entry.kind == .captured ? others : [(entry.grant, first)] + others
  }
}
