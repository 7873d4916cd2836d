public import Credits

/// One change that a child asks for, and that its parent can ask for again.
public struct Operation: Hashable, Sendable {
  /// What is asked.
  public enum Verb: Int64, Sendable {
    case debit, upTo, grant, freeze, unfreeze, close, open
  }

  /// What names an operation: its account and its request.
  public struct Key: Hashable, Sendable {
    /// The number of the account.
    public let account: UInt64
    /// The id of the request.
    public let request: RequestID

    /// Makes the key of a request on an account.
    public init(account: UInt64, request: RequestID) {
      self.account = account
      self.request = request
    }

    /// What a request names besides itself.
    public enum Part: UInt64, Sendable {
      /// That a hold was made.
      case hold = 0x1_0000_0000
      /// The end of a hold.
      case end = 0x2_0000_0000
    }

    /// The key under which something else than its own entry is told of a request.
    public func of(_ part: Part) -> Key {
      Key(account: account, request: RequestID(high: request.high, low: request.low | part.rawValue))
    }

    /// What the key names, and the request that the journal has; nil for the request's own entry.
    public var part: (part: Part, request: RequestID)? {
      for part in [Part.hold, .end] where request.low & part.rawValue != 0 {
        return (part, RequestID(high: request.high, low: request.low & 0xFFFF_FFFF))
      }
      return nil
    }
  }

  /// What is asked.
  public let verb: Verb
  /// The account and the request.
  public let key: Key
  /// The amount of a debit or grant.
  public let amount: Amount
  /// The start of a grant.
  public let starts: Timestamp
  /// The end of a grant.
  public let expires: Timestamp

  /// Makes an operation.
  public init(_ verb: Verb, _ key: Key, amount: Amount = .zero, starts: Timestamp = .zero, expires: Timestamp = .never)
  {
    self.verb = verb
    self.key = key
    self.amount = amount
    self.starts = starts
    self.expires = expires
  }

  /// The account.
  public var account: AccountID { AccountID(key.account) }

  /// The operation as a debit; nil for other verbs.
  public var debit: Debit? {
    switch verb {
    case .debit: Debit(amount, from: account, request: key.request)
    case .upTo: Debit(amount, from: account, request: key.request, extent: .upTo)
    default: nil
    }
  }

  /// Carries the operation out.
  public func perform(on store: CreditStore) async throws(StoreError) -> Reply {
    if let debit { return Reply(try await store.debit(debit)) }
    do throws(StoreError) {
      switch verb {
      case .grant:
        return Reply(
          try await store.grant(
            amount, to: account, source: .promotion("crash"), starts: starts == .zero ? nil : starts,
            expires: expires == .never ? nil : expires, request: key.request))
      case .freeze: return Reply(try await store.freeze(account, request: key.request))
      case .unfreeze: return Reply(try await store.unfreeze(account, request: key.request))
      case .close: return Reply(try await store.close(account, request: key.request))
      case .open: return Reply(try await store.open(account, label: "account \(key.account)"))
      case .debit, .upTo: preconditionFailure("debits were carried out above")
      }
    } catch {
      guard case .denied(let denial) = error else { throw error }
      return Reply(.denied(denial))
    }
  }
}

/// What an operation came to, as numbers.
public struct Reply: Hashable, Sendable {
  /// 0 for done, else the number of the denial's reason.
  public let code: Int64
  /// The entry; 0 for none.
  public let sequence: UInt64
  /// What was taken or given; what was needed where too little was there.
  public let amount: Int64
  /// The balance after; what was available where too little was there.
  public let balance: Int64
  /// When it was decided.
  public let time: Int64
  /// Whether it had been decided before.
  public var isReplay = false

  /// The reply without the mark of a replay.
  public var outcome: Reply {
    var copy = self
    copy.isReplay = false
    return copy
  }

  /// Makes a reply from its numbers.
  public init(code: Int64, sequence: UInt64, amount: Int64, balance: Int64, time: Int64) {
    self.code = code
    self.sequence = sequence
    self.amount = amount
    self.balance = balance
    self.time = time
  }

  /// The reply of a receipt.
  public init(_ receipt: Receipt) {
    self.init(
      code: 0, sequence: receipt.sequence.value, amount: receipt.amount.millionths,
      balance: receipt.balance.millionths, time: receipt.time.microseconds)
    isReplay = receipt.isReplay
  }

  /// The reply of an outcome.
  public init(_ outcome: Outcome) {
    switch outcome {
    case .debited(let receipt): self.init(receipt)
    case .denied(let denial):
      var (code, amount, balance): (Int64, Int64, Int64) = (0, 0, 0)
      switch denial.reason {
      case .insufficient(let available, let needed):
        (code, amount, balance) = (1, needed.millionths, available.millionths)
      case .frozen: code = 2
      case .closed: code = 3
      case .limit: code = 4
      case .conflict: code = 5
      case .tooOld: code = 6
      case .unknownAccount: code = 7
      case .alreadyOpen: code = 9
      default: code = 8
      }
      self.init(
        code: code, sequence: denial.sequence?.value ?? 0, amount: amount, balance: balance,
        time: denial.time.microseconds)
      isReplay = denial.isReplay
    }
  }
}
