import CrashSupport
import Credits

/// An account as its entries say: whether auto-refill can work, and what became of every charge.
///
/// Worked out from the journal alone, by rules written down a second time.
struct Bills {
  /// A charge.
  struct Bill {
    let isRefill: Bool
    var credits: Amount
    var money: Money
    /// When it was sent to the payment provider.
    var sent: Timestamp?
    /// The entry that ended it.
    var end: JournalEntry.Kind?
  }

  let account: UInt64
  var available = Amount.zero
  var last = SequenceNumber.none
  var bills: [UInt32: Bill] = [:]
  /// The number of the open refill.
  private(set) var open: UInt32?
  private(set) var isFrozen = false
  private(set) var isOn = false
  private(set) var isCooling = false
  private(set) var isCapped = false
  private(set) var suspended: JournalEntry.Kind?
  private var method: UInt32?
  private var methods: Set<UInt32> = []
  /// The first consent, from which the periods of the cap are counted.
  private var since: Timestamp?
  private var charged: [Int: Int64] = [:]

  init(_ account: UInt64) { self.account = account }

  /// Why no refill is due although less is available than the threshold; nil if one is to be.
  var excuse: String? {
    if !isOn { return "off" }
    if isFrozen { return "frozen" }
    if open != nil { return "open" }
    if suspended != nil { return "suspended" }
    if isCooling { return "cooling" }
    if isCapped { return "capped" }
    return nil
  }

  /// Whether a refill should be due that is not.
  var isOwed: Bool { available < Fire.threshold && excuse == nil }

  /// Takes an entry in; answers what is wrong with it.
  mutating func take(_ entry: JournalEntry) -> String? {
    guard entry.previous == last, entry.availableBefore == available, entry.available >= 0 else {
      return "does not follow entry \(last) with \(available)"
    }
    last = entry.sequence
    available = entry.available
    switch entry.kind {
    case .frozen: isFrozen = true
    case .unfrozen: isFrozen = false
    case .methodSaved:
      guard let number = entry.method, methods.insert(number).inserted else { return "saves no new method" }
      if isOn { method = number }
    case .methodRemoved:
      guard let number = entry.method, methods.remove(number) != nil else { return "removes no method" }
      if isOn, number == method { suspended = .methodRemoved }
    case .refillSet:
      isOn = entry.cause == "on"
      guard isOn else { return nil }
      isCapped = false
      method = entry.method
      since = since ?? entry.time
    case .capped: isCapped = true
    case .rearmed: rearm(entry)
    case .disputed: suspended = .disputed
    case .due, .ordered, .charging, .credited, .declined, .cancelled, .unsettled, .needsAction, .mismatched:
      return step(entry)
    default: break
    }
    return nil
  }

  private mutating func rearm(_ entry: JournalEntry) {
    switch entry.cause {
    case "new period": isCapped = false
    case "pause over": isCooling = false
    default:
      isCooling = false
      if suspended != .disputed || entry.cause == "by hand" { suspended = nil }
    }
    if isOn, suspended == nil, method.map({ !methods.contains($0) }) ?? true { suspended = .methodRemoved }
  }

  private mutating func step(_ entry: JournalEntry) -> String? {
    guard let number = entry.charge else { return "names no charge" }
    if entry.kind == .due || entry.kind == .ordered {
      guard bills[number] == nil, number == (bills.keys.max() ?? 0) + 1 else { return "is no new charge" }
      let isRefill = entry.kind == .due
      if isRefill, let open { return "is a refill while \(open) is open" }
      guard let money = entry.money else { return "costs nothing" }
      bills[number] = Bill(isRefill: isRefill, credits: entry.amount, money: money)
      if isRefill { open = number }
      return nil
    }
    guard var bill = bills[number], bill.end == nil else { return "is of a charge that is not open" }
    defer { bills[number] = bill }
    switch entry.kind {
    case .charging:
      guard bill.sent == nil, let money = entry.money else { return "sends a charge twice" }
      (bill.sent, bill.credits, bill.money) = (entry.time, entry.amount, money)
      return bill.isRefill ? count(bill) : nil
    case .credited:
      bill.end = .credited
      guard bill.sent != nil, entry.amount == bill.credits, entry.money == bill.money else {
        return "credits what was not charged"
      }
    case .declined, .cancelled:
      bill.end = entry.kind
      if bill.isRefill, bill.sent != nil { uncount(bill) }
      guard bill.isRefill, entry.kind == .declined else { break }
      isCooling = entry.until != nil
      if !isCooling, suspended == nil { suspended = .declined }
    default: if bill.sent == nil { return "is of a charge that was not sent" }
    }
    if bill.isRefill, bill.end != nil { open = nil }
    return nil
  }

  // MARK: The cap

  private func period(_ bill: Bill) -> Int? {
    guard let since, let sent = bill.sent else { return nil }
    return Fire.period(of: account).index(at: sent, from: since)
  }

  private mutating func count(_ bill: Bill) -> String? {
    guard let period = period(bill) else { return "is sent before anybody agreed" }
    let (cap, sum) = (Fire.cap(of: account).minor, charged[period, default: 0] + bill.money.minor)
    charged[period] = sum
    if sum > cap { return "takes \(sum) cents in a period in which \(cap) are agreed" }
    guard available < Fire.threshold else { return "refills what is full" }
    // Enough to reach the threshold, or all that the cap leaves; never a pack more than needed.
    let isCut = cap - sum < Fire.pack.price.minor
    guard available + bill.credits >= Fire.threshold || isCut else { return "refills too little" }
    return available + bill.credits - Fire.pack.credits < Fire.threshold ? nil : "refills too much"
  }

  private mutating func uncount(_ bill: Bill) {
    guard let period = period(bill) else { return }
    charged[period, default: 0] -= bill.money.minor
  }
}
