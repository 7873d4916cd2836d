import Credits

/// What there is to see of the demonstration: counted from the entries of the journal alone.
struct DemoScene: Sendable {
  /// What was used of one feature.
  struct Feature: Equatable, Sendable {
    var debits = 0
    /// What was spent, in millionths of a credit.
    var spent: Int128 = 0
  }

  /// An event, ready to be shown.
  struct Event: Equatable, Sendable {
    let time: Timestamp
    /// The kind of entry; nil for what is of the store as a whole.
    let kind: JournalEntry.Kind?
    let name: String
    let text: String
  }

  /// The states of auto-refill, in the order in which they are shown.
  static let states = [
    "armed", "due", "charging", "unknown", "needs action", "cooling down", "capped", "suspended", "off",
  ]

  /// The most events that are kept to be shown.
  static let mostEvents = 200

  let accounts: Int
  private(set) var last = SequenceNumber.none
  private(set) var features: [String: Feature] = [:]
  private(set) var denials: [String: Int] = [:]
  private(set) var counts: [JournalEntry.Kind: Int] = [:]
  private(set) var events: [Event] = []
  /// Money in minor units that was credited, by who asked for it.
  private(set) var refilled: Int64 = 0
  private(set) var bought: Int64 = 0
  private(set) var priceVersion: UInt32 = 0
  /// What each account has spent, in millionths.
  private(set) var spending: [AccountID: Int128] = [:]
  private var states: [AccountID: String] = [:]
  private var refills: Set<ChargeName> = []

  private struct ChargeName: Hashable {
    let account: AccountID
    let number: UInt32
  }

  /// Begins after an entry, with some accounts whose auto-refill is armed.
  init(accounts: Int, after last: SequenceNumber, armed: [AccountID]) {
    self.accounts = accounts
    self.last = last
    for account in armed { states[account] = "armed" }
  }

  /// How many accounts are in each state of auto-refill.
  var refillStates: [String: Int] {
    var found: [String: Int] = [:]
    for state in states.values { found[state, default: 0] += 1 }
    return found
  }

  func count(_ kind: JournalEntry.Kind) -> Int { counts[kind] ?? 0 }

  /// All requests of customers: debits, holds and denials of either.
  var requests: Int { count(.debited) + count(.held) + count(.denied) }

  /// What was spent, in millionths.
  var spent: Int128 { features.values.reduce(0) { $0 + $1.spent } }

  /// The features, those that most was spent on first.
  var ranking: [(name: String, feature: Feature)] {
    features.map { (name: $0.key, feature: $0.value) }
      .sorted { ($1.feature.spent, $0.name) < ($0.feature.spent, $1.name) }
  }

  // MARK: Counting

  /// Counts an entry of an account of some name.
  mutating func count(_ entry: JournalEntry, _ name: String) {
    last = entry.sequence
    counts[entry.kind, default: 0] += 1
    if let version = entry.priceVersion { priceVersion = max(priceVersion, version) }
    countSpending(entry)
    countCharge(entry)
    // That a bank still waits for the customer is no news.
    guard JournalEntry.Kind.events.contains(entry.kind), entry.kind != .unsettled || entry.cause != "needs action"
    else {
      return
    }
    events.append(Event(time: entry.time, kind: entry.kind, name: name, text: DemoScene.text(entry)))
    if events.count > DemoScene.mostEvents { events.removeFirst(events.count - DemoScene.mostEvents) }
  }

  /// Adds an event that is of the store as a whole.
  mutating func note(_ text: String, at time: Timestamp) {
    events.append(Event(time: time, kind: nil, name: "store", text: text))
  }

  private mutating func countSpending(_ entry: JournalEntry) {
    switch entry.kind {
    case .denied: denials[entry.denial?.code ?? "", default: 0] += 1
    // What goes beyond a hold is a debit without usage; all holds are of chats.
    case .debited, .captured: spend(entry, on: entry.usage?.feature ?? "chat")
    default: break
    }
  }

  private mutating func spend(_ entry: JournalEntry, on feature: String) {
    features[feature, default: Feature()].debits += 1
    features[feature, default: Feature()].spent += Int128(entry.amount.millionths)
    spending[entry.account, default: 0] += Int128(entry.amount.millionths)
  }

  private mutating func countCharge(_ entry: JournalEntry) {
    switch entry.kind {
    case .rearmed: states[entry.account] = "armed"
    case .capped: states[entry.account] = "capped"
    case .refillSet: states[entry.account] = entry.cause == "on" ? "armed" : "off"
    default: break
    }
    guard let number = entry.charge else { return }
    let name = ChargeName(account: entry.account, number: number)
    if entry.kind == .due { refills.insert(name) }
    guard refills.contains(name) else {
      if entry.kind == .credited { bought += entry.money?.minor ?? 0 }
      return
    }
    switch entry.kind {
    case .due: states[entry.account] = "due"
    case .charging: states[entry.account] = "charging"
    case .needsAction: states[entry.account] = "needs action"
    case .unsettled: states[entry.account] = entry.cause == "processing" ? "charging" : entry.cause ?? "unknown"
    case .mismatched: states[entry.account] = "unknown"
    case .declined: states[entry.account] = entry.until == nil ? "suspended" : "cooling down"
    case .credited:
      refilled += entry.money?.minor ?? 0
      states[entry.account] = "armed"
    case .cancelled: states[entry.account] = "armed"
    default: break
    }
  }

  /// An event in a few words.
  private static func text(_ entry: JournalEntry) -> String {
    let amount = entry.amount == .zero ? "" : " \(entry.amount.grouped)"
    let note = EntryFormat.note(entry)
    return entry.kind.rawValue + amount + (note.isEmpty ? "" : "  " + note)
  }
}
