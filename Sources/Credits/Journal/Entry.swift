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
  /// The units that were priced; the priority of a grant.
  package var units: UInt32 = 0

  /// The length of the fixed part in bytes.
  package static let size = 80

  /// The most grants that an account may have with credits left, so that an entry's parts fit into a block.
  package static let maximumGrants = 1_000

  /// The kinds of entry, with the codes that the journal uses. Codes 10 to 39 are kept for holds, plans, refills and
  /// prices.
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
  }

  /// The reasons of a recorded denial, with the codes that the journal uses.
  package enum DenialCode: UInt8, Sendable, CaseIterable {
    case insufficient = 1
    case frozen = 2
    case closed = 3
    case limit = 4
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
    code = kind.rawValue
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

  /// The kinds of text, with the codes that the journal uses.
  package enum Text: UInt32, Sendable, CaseIterable {
    case label = 1
    case reference = 2
    case reason = 3
  }

  /// The most bytes of a text.
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

  /// What was taken from each grant, in the order of use.
  package var parts: [(grant: UInt32, amount: Amount)] {
    var first = entry.amount
    var others: [(grant: UInt32, amount: Amount)] = []
    for case .part(let grant, let amount) in items {
      first -= amount
      others.append((grant, amount))
    }
    return [(entry.grant, first)] + others
  }
}
