import CrashSupport
import Credits
import CreditsTesting
import Glibc
import Testing

@Suite("Refill under fire")
struct FireTests {
  /// How many processes are killed; the environment's CREDITS_FIRE_ROUNDS says otherwise.
  static let rounds = unsafe getenv("CREDITS_FIRE_ROUNDS").flatMap { unsafe Int(String(cString: $0)) } ?? 12
  static let accounts = 3_000

  @Test("30, 31, G5: hundreds of callers, a bad provider, processes killed at random: all money ends as credits, once")
  func fire() async throws {
    let folder = Folder()
    let path = folder.path("store")
    let seed = KillTests.seed
    var dice = Dice(seed)
    var audit = FireAudit()
    try await prepare(path)
    var kills = 0
    for round in 1...FireTests.rounds {
      let arguments = ["fire", path, "\(FireTests.accounts)", "\(seed)", "\(round)", "\(audit.lastStep)"]
      let delay = dice.roll(0...100)
      let ending = await blocking { Child(arguments).end(after: "working", kill: delay) }
      #expect(ending.signal == SIGKILL, "seed \(seed), round \(round)")
      kills += 1
      // A reader sees the store as the killed process left it, and the next process finds it so.
      let clock = StoreClock.Manual(Fire.beginning(of: round + 1))
      let reader = try CreditReader.open(at: path, settings: Fire.settings(clock, round: round))
      let next = SequenceNumber(audit.last.value + 1)
      let fresh = try audit.read { (body) throws(StoreError) in try reader.forEachEntry(from: next, body) }
      audit.compare(ending.lines, with: fresh, round: round)
      audit.compareEvents(upTo: try reader.consumers()[Fire.consumer] ?? .none)
      audit.compare(GatewayBook(ScriptedGateway(memory: path + ".gateway")))
      if round % 10 == 0 {
        let problem = try await reader.verify().problem
        #expect(problem == nil, "seed \(seed), round \(round)")
      }
      #expect(audit.findings.isEmpty, "seed \(seed), round \(round)")
      guard audit.findings.isEmpty, ending.signal == SIGKILL else { return }
    }
    let gateway = try await end(path, &audit)
    #expect(audit.findings.isEmpty, "seed \(seed), at the end")
    report(seed, kills, audit.seen, gateway)
    #expect(audit.seen.answers > 0 && audit.seen.crossings["due", default: 0] > 0)
  }

  /// Opens the accounts, each with some credits, a card and auto-refill, some with a plan.
  private func prepare(_ path: String) async throws {
    let store = try CreditStore.open(at: path, settings: Fire.settings(.init(Fire.start), round: 1))
    try await withThrowingTaskGroup { group in
      for lane in 1...200 as ClosedRange<UInt64> {
        group.addTask {
          for number in stride(from: lane, through: UInt64(FireTests.accounts), by: 200) {
            let id = AccountID(number)
            try await store.open(id)
            try await store.grant(60, to: id, source: .promotion("welcome"), request: "welcome")
            let card = try await store.savePaymentMethod(Fire.card(number, 1), for: id, request: "card")
            try await store.setAutoRefill(Fire.refill(of: number, with: card), for: id, request: "refill")
            try await store.setAlerts([30, 10], for: id, request: "alerts")
            if number % 4 == 0 { try await store.subscribe(id, to: Fire.plan(of: number), request: "plan") }
          }
        }
      }
      try await group.waitForAll()
    }
    try await store.close()
  }

  /// Lets a provider without faults and a worker bring everything to its end.
  private func end(_ path: String, _ audit: inout FireAudit) async throws -> GatewayBook {
    let clock = StoreClock.Manual(Fire.beginning(of: FireTests.rounds + 1))
    let store = try CreditStore.open(at: path, settings: Fire.settings(clock, round: 1))
    let gateway = ScriptedGateway(
      clock: clock, memory: path + ".gateway",
      notify: { key, outcome in
        do { try await store.report(outcome, ofChargeWithKey: key) } catch { Issue.record("\(key): \(error)") }
      })
    let worker = RefillWorker(store: store, gateway: gateway)
    for _ in 1...40 {
      for key in gateway.pending { gateway.settle(key) }
      await gateway.deliverNotices()
      try await store.tick()
      if try await worker.work() == 0, try isSettled(store) { break }
      clock.advance(by: .seconds(1_800))
    }
    try await store.sync()
    let next = SequenceNumber(audit.last.value + 1)
    _ = try audit.read { (body) throws(StoreError) in try store.forEachEntry(from: next, body) }
    let book = GatewayBook(gateway)
    audit.compareEnd(book)
    for (number, bills) in audit.accounts {
      let balance = try store.balance(of: AccountID(number))
      #expect(balance?.available == bills.available && balance?.version == bills.last, "account \(number)")
    }
    let problem = try await store.verify().problem
    #expect(problem == nil)
    try await store.close()
    return book
  }

  private func isSettled(_ store: CreditStore) throws -> Bool {
    for number in 1...UInt64(FireTests.accounts) {
      guard try store.account(AccountID(number))?.charges.isEmpty == true else { return false }
    }
    return true
  }

  private func report(_ seed: UInt64, _ kills: Int, _ seen: FireAudit.Seen, _ gateway: GatewayBook) {
    func list(_ counts: [String: Int]) -> String {
      counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    }
    let kinds = Dictionary(uniqueKeysWithValues: seen.entries.map { ($0.key.rawValue, $0.value) })
    print(
      "fire, seed \(seed): \(kills) kills; \(seen.answers) answers, \(seen.repeated) of them to repetitions;"
        + " \(seen.events) events told; \(gateway.taken.count) cards charged, \(gateway.repeats) calls repeated;"
        + " crossings: \(list(seen.crossings)); entries: \(list(kinds))")
  }
}
