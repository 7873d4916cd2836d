import Credits
import CreditsTesting
import Crypto

/// The day of the demonstration: time goes on step by step, customers do things, the store answers.
///
/// One task does everything in an order that the seed decides, so that each account has the same history every time.
struct DemoDay {
  /// The length of a step, in simulated seconds.
  static let step: Int64 = 5

  /// Something that a customer does later.
  private enum Action {
    /// The answer has been streamed: the hold is captured for what it cost.
    case capture(Hold, Usage)
    /// Buys a pack, with a new card if there is none.
    case buy(Int)
    /// Brings a new card after a decline.
    case bringCard(Int)
    /// Confirms a payment at the bank, or does not.
    case confirm(Int, charge: UInt32, Bool)
  }

  let world: DemoWorld
  let store: CreditStore
  let clock: StoreClock.Manual
  let gateway: DemoGateway
  private(set) var scene: DemoScene
  private(set) var steps: Int64 = 0
  private let worker: RefillWorker
  private var random: SplitMix64
  private var agenda: [Int64: [Action]] = [:]
  private var request: UInt64 = 0
  private var owed = 0
  private var hasNewPrices = false
  private var methods: [Int: PaymentMethod]

  /// Opens the accounts with their plans, alerts and cards, and begins the day.
  init(_ world: DemoWorld, _ store: CreditStore, _ clock: StoreClock.Manual) async throws {
    self.world = world
    self.store = store
    self.clock = clock
    gateway = DemoGateway(seed: world.seed)
    worker = RefillWorker(store: store, gateway: gateway.scripted, concurrency: 1)
    random = SplitMix64(seed: world.seed ^ 0xDA11)
    try await store.publish(DemoWorld.books[0])
    methods = try await DemoDay.openAccounts(world, store)
    scene = DemoScene(
      accounts: world.customers.count, after: try store.statistics().last,
      armed: world.customers.filter { $0.refill != nil }.map(\.id))
  }

  /// The simulated moment.
  var now: Timestamp { clock.now }

  // MARK: The accounts

  private static func openAccounts(_ world: DemoWorld, _ store: CreditStore) async throws -> [Int: PaymentMethod] {
    let lanes = min(256, world.customers.count)
    let progress = Progress("accounts ")
    defer { progress.end() }
    return try await withThrowingTaskGroup(of: [(Int, PaymentMethod)].self) { group in
      for lane in 0..<lanes {
        group.addTask {
          var methods: [(Int, PaymentMethod)] = []
          for index in stride(from: lane, to: world.customers.count, by: lanes) {
            if let method = try await open(world.customers[index], store) { methods.append((index, method)) }
            if lane == 0 { progress.show(Double(index) / Double(world.customers.count)) }
          }
          return methods
        }
      }
      var methods: [Int: PaymentMethod] = [:]
      for try await found in group { methods.merge(found) { first, _ in first } }
      return methods
    }
  }

  private static func open(_ customer: DemoWorld.Customer, _ store: CreditStore) async throws -> PaymentMethod? {
    try await store.open(customer.id, label: customer.name, acknowledge: .applied)
    try await store.subscribe(
      customer.id, to: customer.plan, anchor: customer.anchor, request: DemoDay.request(1, customer.index))
    // What was used before the day, so that not everybody begins with all of the allowance.
    let used = Amount(millionths: customer.plan.allowance.millionths / 100 * Int64(customer.used))
    if used > .zero {
      _ = try await store.debit(
        used, from: customer.id, request: DemoDay.request(2, customer.index), acknowledge: .applied)
    }
    let level = Amount(millionths: customer.plan.allowance.millionths / 10)
    try await store.setAlerts([level], for: customer.id, request: DemoDay.request(3, customer.index))
    guard let card = customer.card else { return nil }
    return try await store.savePaymentMethod(
      DemoWorld.method(card, customer.index), for: customer.id, request: DemoDay.request(4, customer.index))
  }

  /// Customers whose auto-refill is to be on switch it on in the first step.
  private mutating func switchRefillsOn() async throws {
    for customer in world.customers {
      guard let refill = customer.refill, let method = methods[customer.index] else { continue }
      try await store.setAutoRefill(
        .on(
          below: refill.threshold, buy: .pack(refill.pack), atMost: refill.cap, per: .month, with: method,
          consent: "terms of 2025"), for: customer.id, request: DemoDay.request(5, customer.index))
    }
  }

  /// A request by the kind of what is asked and a number.
  private static func request(_ kind: UInt64, _ number: Int) -> RequestID {
    RequestID(high: 0xDE30_0000_0000_0000 | kind, low: UInt64(number) + 1)
  }

  private mutating func nextRequest() -> RequestID {
    request += 1
    return DemoDay.request(9, Int(request))
  }

  // MARK: A step

  /// Lets a step of time pass, with all that happens in it; calls a function with every entry that it makes.
  mutating func advance(_ body: (JournalEntry, String) throws -> Void) async throws {
    steps += 1
    clock.now = DemoWorld.start + .seconds(steps * DemoDay.step)
    try await store.tick()
    if steps == 1 { try await switchRefillsOn() }
    if !hasNewPrices, now >= DemoWorld.newPrices {
      hasNewPrices = true
      let version = try await store.publish(DemoWorld.books[1])
      scene.note("version \(version) of the price book is in force: chat is cheaper", at: now)
    }
    for action in agenda.removeValue(forKey: steps) ?? [] { try await perform(action) }
    try await serve()
    try await store.sync()
    try await deliver()
    try await worker.work()
    try react(body)
  }

  /// The requests of a step: most are debited, some chats are streamed under a hold.
  private mutating func serve() async throws {
    let hour = Int(now.microseconds / 3_600_000_000 % 24)
    owed += world.requests * DemoWorld.hours[hour]
    let unit = 160 * 3_600 / Int(DemoDay.step)
    let mean = owed / unit
    owed %= unit
    let count = mean == 0 ? 0 : 1 + random.below(2 * mean - 1)
    var debits: [UsageDebit] = []
    for _ in 0..<count {
      let customer = world.customer(&random)
      let usage = DemoWorld.usage(customer, &random)
      if usage.feature == "chat", random.below(100) < 20 {
        try await stream(usage, for: customer)
      } else {
        debits.append(UsageDebit(usage, from: customer.id, request: nextRequest()))
      }
    }
    _ = try await store.debit(for: debits, acknowledge: .applied)
  }

  /// A chat whose length is not known: the most that it can cost is held, and captured when it is done.
  private mutating func stream(_ usage: Usage, for customer: DemoWorld.Customer) async throws {
    let most = Usage(
      usage.feature, model: usage.model, units: ["context": usage.units["context"] ?? 0, "generated": 600])
    let request = nextRequest()
    // Drawn before the answer is known, so that what comes later does not depend on it.
    let isLost = random.below(50) == 0
    let length = Int64(1 + random.below(12))
    do throws(StoreError) {
      let hold = try await store.hold(
        for: most, on: customer.id, lasting: .seconds(300), request: request, acknowledge: .applied)
      // A client that dies captures nothing; the deadline releases its hold.
      if !isLost { agenda[steps + length, default: []].append(.capture(hold, usage)) }
    } catch { guard case .denied = error else { throw error } }
  }

  private mutating func perform(_ action: Action) async throws {
    switch action {
    case .capture(let hold, let usage):
      try await store.capture(hold, for: usage, acknowledge: .applied)
    case .confirm(let index, let charge, let isConfirmed):
      guard let key = try await store.key(ofCharge: charge, of: world.customers[index].id) else { return }
      if isConfirmed { gateway.scripted.settle(key) } else { gateway.scripted.refuse(key, reason: "not confirmed") }
    case .bringCard(let index):
      methods[index] = try await store.savePaymentMethod(
        DemoWorld.method(.good, index + Int(steps) * 7), for: world.customers[index].id, request: nextRequest())
    case .buy(let index):
      let customer = world.customers[index]
      if methods[index] == nil { try await perform(.bringCard(index)) }
      guard let method = methods[index] else { return }
      do throws(StoreError) {
        try await store.purchase(.pack(500), for: customer.id, with: method, request: nextRequest())
      } catch { guard case .denied = error else { throw error } }
    }
  }

  /// Delivers the provider's notices; now and then twice, as providers do.
  private mutating func deliver() async throws {
    await gateway.scripted.deliverNotices()
    for notice in gateway.notices() {
      for _ in 0..<(random.below(5) == 0 ? 2 : 1) {
        try await store.report(notice.outcome, ofChargeWithKey: notice.key)
      }
    }
  }

  // MARK: What comes of it

  /// Reads what the step has written, and lets customers react.
  private mutating func react(_ body: (JournalEntry, String) throws -> Void) throws {
    var entries: [JournalEntry] = []
    try store.forEachEntry(from: SequenceNumber(scene.last.value + 1)) { (entry) throws(StoreError) -> Bool in
      entries.append(entry)
      return true
    }
    var reactions: [(index: Int, entry: JournalEntry)] = []
    for entry in entries {
      let index = world.index[entry.account]
      let name = index.map { world.customers[$0].name } ?? entry.account.description
      scene.count(entry, name)
      try body(entry, name)
      if let index { reactions.append((index, entry)) }
    }
    // By customer, and not by the order in the journal, which may differ between accounts.
    for (index, entry) in reactions.sorted(by: { ($0.index, $0.entry.sequence) < ($1.index, $1.entry.sequence) }) {
      react(to: entry, world.customers[index])
    }
  }

  private mutating func react(to entry: JournalEntry, _ customer: DemoWorld.Customer) {
    func later(_ low: Int64, _ spread: Int) -> Int64 { steps + low + Int64(random.below(spread)) }
    switch entry.kind {
    case .denied where customer.refill == nil && random.below(30) == 0:
      agenda[later(12, 120), default: []].append(.buy(customer.index))
    case .declined where entry.until == nil || random.below(2) == 0:
      agenda[later(60, 600), default: []].append(.bringCard(customer.index))
    case .needsAction, .unsettled:
      guard let charge = entry.charge, entry.kind == .needsAction || entry.cause == "processing" else { return }
      let isConfirmed = entry.kind == .unsettled || random.below(100) < 85
      agenda[later(6, 60), default: []].append(
        .confirm(customer.index, charge: charge, isConfirmed))
    default: break
    }
  }

  // MARK: The end

  /// SHA-256 over the ids and balances of all accounts in order: equal where all balances are equal.
  func digest() throws -> String {
    var hasher = SHA256()
    for customer in world.customers {
      let balance = try store.balance(of: customer.id)
      hasher.update(data: Array("\(customer.id) \(balance?.available ?? 0) \(balance?.held ?? 0)\n".utf8))
    }
    return hexadecimal(Array(hasher.finalize()))
  }

  /// All that accounts have, in millionths: available, and held.
  func balances() throws -> (available: Int128, held: Int128) {
    var sums: (Int128, Int128) = (0, 0)
    for customer in world.customers {
      guard let balance = try store.balance(of: customer.id) else { continue }
      sums.0 += Int128(balance.available.millionths)
      sums.1 += Int128(balance.held.millionths)
    }
    return sums
  }

  /// What does not fit between the payment provider and the store: every card that was charged was charged once, and
  /// its credits were given, or its charge is still open.
  func disagreement() async throws -> String? {
    if let key = gateway.scripted.chargedTwice.first { return "the charge \(key) was taken twice" }
    var credited = 0
    for taken in gateway.scripted.taken {
      guard let order = gateway.scripted.orders[taken.key] else { return "the charge \(taken.key) was never ordered" }
      switch try await store.progress(ofCharge: order.charge.number, of: order.account) {
      case .ended(let entry)? where entry.kind == .credited: credited += 1
      case .open?: break
      default: return "the charge \(taken.key) was taken, and its credits were not given"
      }
    }
    let all = scene.count(.credited)
    return credited == all ? nil : "\(all) charges were credited and \(credited) were taken"
  }
}
