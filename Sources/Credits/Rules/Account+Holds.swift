extension Account {
  /// The open hold that a request made.
  package func hold(of request: RequestID) -> Hold? { extras.holds.first { $0.request == request } }

  /// Sets credits aside.
  mutating func applyHeld(_ record: borrowing Record) throws(Inconsistency) {
    let entry = record.entry
    guard let end = Hold.End(rawValue: entry.detail), let duration = record.number(.duration) else {
      throw Inconsistency("a hold has no end")
    }
    guard let micros = Int64(exactly: duration), hold(of: entry.request) == nil else {
      throw Inconsistency("a hold is made twice, or is endless")
    }
    guard entry.amount <= available else { throw Inconsistency("\(entry.amount) of \(available) are held") }
    var parts: [Grant] = []
    // What costs nothing is held of no grant.
    if entry.amount > 0 { for part in record.parts { parts.append(try take(part.amount, from: part.grant)) } }
    available -= entry.amount
    held += entry.amount
    extras.lastHold += 1
    extras.holds.append(
      Hold(
        account: id, request: entry.request, number: extras.lastHold, amount: entry.amount,
        deadline: entry.time + .microseconds(micros), end: end, parts: parts))
  }

  /// Ends a hold: what is captured is spent, the rest goes back to its grants or expires with them.
  mutating func applyEndOfHold(_ record: borrowing Record) throws(Inconsistency) {
    let entry = record.entry
    guard let index = extras.holds.firstIndex(where: { $0.number == entry.grant }) else {
      throw Inconsistency("there is no hold \(entry.grant)")
    }
    let hold = extras.holds.remove(at: index)
    guard entry.request == hold.request.endOfHold else { throw Inconsistency("the hold is of another request") }
    var left = hold.parts
    var spending = Amount.zero
    for item in record.items {
      switch item {
      case .part(let grant, let amount):
        _ = try Account.take(amount, from: grant, of: &left)
        spending += amount
      case .returned(let grant, let amount):
        let part = try Account.take(amount, from: grant, of: &left)
        guard part.expires > entry.time else { throw Inconsistency("credits go back to the expired grant \(grant)") }
        place(part)
        available += amount
        held -= amount
      case .lapsed(let grant, let amount):
        let part = try Account.take(amount, from: grant, of: &left)
        guard part.expires <= entry.time else { throw Inconsistency("grant \(grant) has not expired") }
        available += amount
        held -= amount
        try expire(amount)
      default: break
      }
    }
    guard left.isEmpty, spending == entry.amount, entry.kind == .captured || spending == 0 else {
      throw Inconsistency("hold \(entry.grant) is not settled in full")
    }
    available += spending
    held -= spending
    try spend(spending)
  }

  private static func take(
    _ amount: Amount, from number: UInt32, of parts: inout [Grant]
  ) throws(Inconsistency) -> Grant {
    guard let index = parts.firstIndex(where: { $0.number == number }), amount > 0, amount <= parts[index].remaining
    else { throw Inconsistency("grant \(number) has too little held") }
    var part = parts[index]
    part.remaining = amount
    parts[index].remaining -= amount
    if parts[index].remaining == 0 { parts.remove(at: index) }
    return part
  }
}
