import Credits
import CreditsTesting

/// The customers of the demonstration, their plans, cards and habits: the same for the same seed.
struct DemoWorld: Sendable {
  /// What a customer's bank does.
  enum Card: String, Sendable {
    /// It pays, but for the odd failure.
    case good
    /// It declines.
    case weak
    /// It wants the customer to confirm each payment.
    case careful
  }

  /// Buying by itself when credits run low.
  struct Refill: Sendable {
    let threshold: Amount
    let pack: Amount
    let cap: Money
  }

  /// A customer.
  struct Customer: Sendable {
    let index: Int
    let name: String
    let id: AccountID
    let plan: Plan
    let anchor: Timestamp
    let card: Card?
    let refill: Refill?
    /// How much of the allowance was used before the day begins, in percent.
    let used: Int
    /// The requests of a day, about.
    let requests: Int

    init(_ index: Int, seed: UInt64) {
      var random = SplitMix64(seed: Mixer.mix(seed &+ UInt64(index) &* 0x9E37_79B9))
      self.index = index
      let digits = String(index + 1)
      name =
        DemoWorld.names[index % DemoWorld.names.count] + "-"
        + String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
      id = AccountID(name)
      let kind = random.below(100)
      let tier = kind < 55 ? 0 : kind < 90 ? 1 : 2
      plan = DemoWorld.plans[tier]
      let back = plan.period == .day ? 86_400 : 27 * 86_400
      anchor = DemoWorld.start - .seconds(Int64(random.below(back)))
      let bank = random.below(100)
      card = tier == 0 ? nil : bank < 84 ? .good : bank < 92 ? .weak : .careful
      refill = tier == 0 || random.below(100) >= 75 ? nil : DemoWorld.refills[tier - 1]
      used = tier == 0 ? random.below(60) : random.below(101)
      requests = [24, 120, 480][tier] * (50 + random.below(101)) / 100
    }
  }

  let seed: UInt64
  let customers: [Customer]
  /// The customers by their accounts.
  let index: [AccountID: Int]
  /// The sums of requests a day up to each customer, to draw one by.
  private let shares: [Int]

  init(seed: UInt64, accounts: Int) {
    self.seed = seed
    let customers = (0..<accounts).map { Customer($0, seed: seed) }
    self.customers = customers
    index = Dictionary(uniqueKeysWithValues: customers.map { ($0.id, $0.index) })
    var sum = 0
    shares = customers.map { customer in
      sum += customer.requests
      return sum
    }
  }

  /// The requests of a day, about.
  var requests: Int { shares.last ?? 0 }

  /// A customer, drawn by how much each does.
  func customer(_ random: inout SplitMix64) -> Customer {
    let draw = random.below(requests)
    var (low, high) = (0, shares.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if shares[middle] > draw { high = middle } else { low = middle + 1 }
    }
    return customers[low]
  }

  /// The token of a card; it tells the scripted payment provider what the bank does.
  static func method(_ card: Card, _ number: Int) -> PaymentMethod {
    PaymentMethod(
      token: "tok_\(card.rawValue)_\(number)", brand: card == .careful ? "mastercard" : "visa",
      lastFour: String(1_000 + number % 9_000), expiryYear: 2030, expiryMonth: 1 + number % 12)
  }

  // MARK: What the world is like

  /// The morning of the day.
  static let start = Timestamp("2025-06-02T08:00:00Z") ?? .zero

  /// When a new version of the price book is published, in which chat is cheaper.
  static let newPrices = Timestamp("2025-06-02T14:00:00Z") ?? .zero

  /// How busy each hour of the day is, in parts of 160.
  static let hours = [2, 1, 1, 1, 1, 2, 4, 7, 10, 12, 12, 11, 9, 10, 11, 11, 10, 9, 8, 8, 7, 6, 4, 3]

  private static let names = [
    "ada", "alan", "barbara", "claude", "dennis", "donald", "edsger", "emmy", "frances", "grace", "hedy", "john",
    "karen", "ken", "leslie", "lynn", "margaret", "niklaus", "radia", "tony",
  ]

  private static let plans = [
    Plan("free", allowance: 20, per: .day), Plan("pro", allowance: 150, per: .month, rollover: 50),
    Plan("team", allowance: 800, per: .month, rollover: 200),
  ]

  private static let refills = [
    Refill(threshold: 40, pack: 500, cap: Money(60_00, .usd)),
    Refill(threshold: 200, pack: 2_500, cap: Money(500_00, .usd)),
  ]

  /// The books of the day, the morning's and the afternoon's.
  static let books: [PriceBook] = {
    var morning = ExampleBook.book
    morning.name = "morning prices"
    var afternoon = morning
    afternoon.name = "afternoon prices"
    if let chat = afternoon.features.firstIndex(where: { $0.name == "chat" }) {
      afternoon.features[chat].rates[1].amount = 1.6
    }
    return [morning, afternoon]
  }()

  // MARK: What a customer does

  /// One request, made up.
  static func usage(_ customer: Customer, _ random: inout SplitMix64) -> Usage {
    func spread(_ low: Int, _ doublings: Int) -> UInt64 {
      let base = low << random.below(doublings)
      return UInt64(base + random.below(base))
    }
    let isTeam = customer.plan.name == "team"
    switch random.below(100) {
    case ..<62:
      let draw = random.below(100)
      let model = customer.plan.name == "free" ? "small" : draw < (isTeam ? 30 : 12) ? "large" : nil
      return Usage("chat", model: model, units: ["context": spread(60, 6), "generated": spread(20, 5)])
    case ..<87:
      return Usage(
        "code", tier: random.below(100) < 10 ? "complex" : nil,
        units: ["context": spread(200, 5), "generated": spread(8, 5)])
    case ..<94:
      return Usage("image", tier: random.below(5) == 0 ? "hd" : nil, units: UInt64(1 + random.below(2)))
    default: return Usage("speech", units: spread(8, 6))
    }
  }
}
