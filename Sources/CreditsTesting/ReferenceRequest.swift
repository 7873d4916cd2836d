public import Credits

/// A request to a store, as a value: what a caller would call, on which account, under which id.
public struct ReferenceRequest: Hashable, Sendable {
  /// The verbs of a store with their arguments.
  public enum Verb: Hashable, Sendable {
    /// Open the account under a label.
    case open(label: String)
    /// Give credits.
    case grant(Amount, Grant.Source, priority: UInt8?, starts: Timestamp?, expires: Timestamp?)
    /// Take credits.
    case debit(Amount, Debit.Extent)
    /// Stop spending.
    case freeze(reason: String)
    /// Allow spending again.
    case unfreeze(reason: String)
    /// Close the account for good.
    case close(reason: String)
  }

  /// The account concerned.
  public let account: AccountID

  /// The verb.
  public let verb: Verb

  /// The caller's idempotency key; an opening has none of the caller's.
  public let request: RequestID

  /// Describes a request.
  public init(_ verb: Verb, on account: AccountID, request: RequestID) {
    self.account = account
    // What a caller leaves out is the same as saying the default.
    if case .grant(let amount, let source, let priority, let starts, let expires) = verb {
      self.verb = .grant(
        amount, source, priority: priority ?? source.kind.priority, starts: starts ?? .zero, expires: expires ?? .never)
    } else {
      self.verb = verb
    }
    if case .open = verb { self.request = ReferenceRequest.opening } else { self.request = request }
  }

  /// The id that the store uses for openings: one that is used for something else, too, is a conflict.
  static let opening: RequestID = "credits: open the account"

  /// Whether amounts, times and texts are in the range that the documentation names.
  var isWellFormed: Bool {
    switch verb {
    case .debit(let amount, _): amount > 0
    case .grant(let amount, let source, _, let starts?, let expires?):
      amount > 0 && source.reference.utf8.count <= 255 && starts >= .zero && starts <= .latest && starts < expires
        && (expires <= .latest || expires == .never)
    case .grant: false
    case .open(let text), .freeze(let text), .unfreeze(let text), .close(let text): text.utf8.count <= 255
    }
  }

  /// The amount that the request is about.
  var amount: Amount {
    switch verb {
    case .grant(let amount, _, _, _, _), .debit(let amount, _): amount
    default: 0
    }
  }

  /// The kind of entry that the request makes when it succeeds.
  var kind: JournalEntry.Kind {
    switch verb {
    case .open: .opened
    case .grant: .granted
    case .debit: .debited
    case .freeze: .frozen
    case .unfreeze: .unfrozen
    case .close: .closed
    }
  }
}

extension ReferenceRequest: CustomStringConvertible {
  /// The request in a line.
  public var description: String {
    let what =
      switch verb {
      case .open(let label): "open \"\(label.prefix(20))\""
      case .grant(let amount, let source, let priority, let starts, let expires):
        "grant \(amount) \(source.kind) \"\(source.reference.prefix(20))\" priority \(priority ?? 0)"
          + " from \(starts ?? .zero) to \(expires ?? .never)"
      case .debit(let amount, let extent): "debit \(amount) \(extent)"
      case .freeze: "freeze"
      case .unfreeze: "unfreeze"
      case .close: "close"
      }
    let id = request.high == 0 ? String(request.low) : request.description
    return "\(what), account \(account.low), request \(id)"
  }
}
