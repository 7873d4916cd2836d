import CrashSupport
import Credits

/// Compares a store that was killed with what its children were told.
struct Audit {
  let store: CreditStore
  let profile: Profile
  /// What is wrong.
  private(set) var findings: [String] = []
  /// The number of operations that were repeated.
  private(set) var repeats = 0

  init(_ store: CreditStore, _ profile: Profile) {
    self.store = store
    self.profile = profile
  }

  /// Looks for everything that may be wrong.
  mutating func run(_ book: inout Book, _ dice: inout Dice) async throws(StoreError) {
    try await repeatAnswered(book, &dice)
    for operation in book.unanswered {
      let reply = try await operation.perform(on: store)
      let again = try await operation.perform(on: store)
      if reply.sequence != 0, again.outcome != reply.outcome || !again.isReplay {
        findings.append("\(operation) was unanswered, is answered \(reply), and again \(again)")
      }
      book.answer(operation.key, reply)
      repeats += 2
    }
    try await store.tick()
    try compareJournal(book)
    let verification = try await store.verify()
    if let problem = verification.problem { findings.append("verify: \(problem)") }
    let sum = verification.grantedMillionths - verification.spentMillionths - verification.expiredMillionths
    if sum != verification.availableMillionths { findings.append("the verifier's totals do not add up") }
    book.audited()
  }

  private mutating func repeatAnswered(_ book: Book, _ dice: inout Dice) async throws(StoreError) {
    let statistics = try store.statistics()
    let horizon = profile == .retaining ? statistics.last.value - min(statistics.last.value, 4_096) : 0
    // Everything new, up to a number that keeps a round short; the journal is compared with all of it below.
    for key in book.fresh.suffix(600).shuffled(using: &dice) {
      guard let operation = book.asked[key], let reply = book.answered[key], reply.sequence > horizon else { continue }
      let again = try await operation.perform(on: store)
      if again.outcome != reply || !again.isReplay {
        findings.append("\(operation) was answered \(reply), and again \(again)")
      }
      repeats += 1
    }
  }

  /// What the journal makes of an account.
  private struct Sum {
    var isWhole: Bool
    var granted: Int64 = 0
    var spent: Int64 = 0
    var expired: Int64 = 0
    var available: Int64 = 0
    var last = SequenceNumber.none
  }

  private mutating func compareJournal(_ book: Book) throws(StoreError) {
    var sums: [AccountID: Sum] = [:]
    var seen: [Operation.Key: JournalEntry] = [:]
    var opened: [UInt64: JournalEntry] = [:]
    var problems: [String] = []
    try store.forEachEntry { (entry) throws(StoreError) in
      Audit.add(entry, to: &sums[entry.account, default: Sum(isWhole: entry.previous == .none)], &problems)
      if entry.kind == .opened {
        if opened.updateValue(entry, forKey: entry.account.low) != nil {
          problems.append("account \(entry.account.low) is opened twice")
        }
      } else if let request = entry.request {
        let key = Operation.Key(account: entry.account.low, request: request)
        if let first = seen.updateValue(entry, forKey: key) {
          problems.append("entries \(first.sequence) and \(entry.sequence) are of one request")
        }
      }
      return problems.count < 10
    }
    let first = try store.statistics().firstKept
    for (key, reply) in book.answered where reply.sequence >= first.value && reply.sequence != 0 {
      let entry = book.asked[key]?.verb == .open ? opened[key.account] : seen[key]
      guard let entry, entry.sequence.value == reply.sequence,
        reply.code > 1 || entry.amount.millionths == reply.amount,
        reply.code > 1 || entry.available.millionths == reply.balance, entry.time.microseconds == reply.time,
        (entry.kind == .denied) == (reply.code != 0)
      else {
        problems.append("\(key) was answered \(reply), the journal has \(entry.map { "\($0)" } ?? "nothing")")
        continue
      }
    }
    for (key, entry) in seen where book.asked[key] == nil { problems.append("nobody asked for \(entry)") }
    for (id, sum) in sums { try compare(id, sum, &problems) }
    findings += problems.prefix(10)
  }

  private static func add(_ entry: JournalEntry, to sum: inout Sum, _ problems: inout [String]) {
    if sum.last != .none, entry.previous != sum.last || entry.availableBefore.millionths != sum.available {
      problems.append("\(entry) does not follow \(sum)")
    }
    switch entry.kind {
    case .granted: sum.granted += entry.available.millionths - entry.availableBefore.millionths
    case .begun: sum.granted += entry.amount.millionths
    case .debited: sum.spent += entry.amount.millionths
    case .expired, .closed: sum.expired += entry.amount.millionths
    default: break
    }
    sum.last = entry.sequence
    sum.available = entry.available.millionths
    if sum.isWhole, sum.granted - sum.spent - sum.expired != sum.available || sum.available < 0 {
      problems.append("after \(entry) there should be \(sum)")
    }
  }

  private func compare(_ id: AccountID, _ sum: Sum, _ problems: inout [String]) throws(StoreError) {
    guard let account = try store.account(id), account.balance.version == sum.last,
      account.balance.available.millionths == sum.available
    else {
      problems.append("the balance of \(id) is not \(sum)")
      return
    }
    guard sum.isWhole else { return }
    if account.granted.millionths != sum.granted || account.spent.millionths != sum.spent
      || account.expired.millionths != sum.expired
    {
      problems.append("the totals of \(account) are not \(sum)")
    }
  }
}
