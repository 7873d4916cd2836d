public import Credits
internal import Logging

/// What the children that buy credits under fire, and their parent, agree upon.
public enum Fire {
  /// The moment at which the first round begins.
  public static let start = Timestamp(seconds: 1_800_000_000)

  /// How much time a round has: four of them are as long as the provider remembers keys.
  public static let roundTime = Duration.seconds(6 * 3_600)

  /// The moment at which a round begins.
  public static func beginning(of round: Int) -> Timestamp { start + roundTime * round }

  /// The settings of the store, with a clock that is moved by hand. Rounds differ: some sync, some have frequent
  /// checkpoints, some have fewer accounts in memory than there are.
  public static func settings(_ clock: StoreClock.Manual, round: Int) -> Settings {
    var settings = Settings()
    settings.mapSize = 1 << 32
    settings.clock = .manual(clock)
    settings.clockJump = .seconds(1_000_000_000)
    settings.durability = round % 2 == 0 ? .synced : .unsynced
    settings.frameKibibytes = Profile.smallFrame
    settings.checkpointEntries = round % 4 == 1 ? 2_048 : 16_384
    settings.residentAccounts = round % 4 == 0 ? 1_024 : 8_192
    settings.logger = Logger(label: "fire", factory: { _ in SwiftLogNoOpLogHandler() })
    return settings
  }

  /// When less than this is available, a refill comes due.
  public static let threshold: Amount = 50

  /// What a refill buys, once or several times.
  public static let pack = Pack(credits: 25, price: Money(1_00, .usd))

  /// The period of an account's cap.
  public static func period(of account: UInt64) -> Period {
    switch account % 3 {
    case 0: .day
    case 1: .week
    default: .month
    }
  }

  /// The most money of a period: from 2 to 16 dollars, so that many caps are reached.
  public static func cap(of account: UInt64) -> Money { Money(Int64(2 + account % 8 * 2) * 1_00, .usd) }

  /// The card that an account saves under a number; the number is the store's to give, and named here to use it.
  public static func card(_ account: UInt64, _ number: UInt32) -> PaymentMethod {
    PaymentMethod(
      token: "tok-\(account)-\(number)", brand: "visa", lastFour: "4242", expiryYear: 2040, expiryMonth: 12)
  }

  /// The terms of an account's auto-refill, with one of its cards.
  public static func refill(of account: UInt64, with card: PaymentMethod) -> AutoRefill {
    .on(
      below: threshold, buy: .credits(pack.credits), atMost: cap(of: account), per: period(of: account), with: card)
  }

  /// The plan that an account may have.
  public static func plan(of account: UInt64) -> Plan {
    Plan(
      "plan \(account % 4)", allowance: 40, per: account % 8 == 0 ? .day : .week, rollover: account % 16 == 0 ? 10 : 0)
  }

  /// The price book of a round: prices change a little each time.
  public static func prices(round: Int) -> PriceBook {
    PriceBook(
      "round \(round)",
      features: [
        PriceBook.Feature(
          "chat", base: 0.1,
          rates: [PriceBook.Rate(unit: "token", amount: Amount(millionths: 500_000 + Int64(round)), per: 1000)],
          models: [PriceBook.Choice("default", times: 1), PriceBook.Choice("large", times: 2.5)])
      ])
  }

  /// The consumer of events.
  public static let consumer = "mailer"
}
