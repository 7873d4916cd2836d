internal import Credits

/// What a run is like.
struct Profile: Sendable {
  /// Its name.
  let name: String
  /// Threads of the operating system, each with some callers of its own.
  var threads = 4
  /// The callers of each thread.
  var callersOfThread = 4
  /// Callers on the shared pool of threads.
  var callers = 8
  /// Accounts that most calls are about.
  var hot = 4
  /// Accounts that all others are about.
  var cold = 0
  /// The steps of each caller between two openings of the store.
  var steps = 2_000
  /// How often the store is opened.
  var phases = 2
  /// The most accounts in memory.
  var resident = 100_000
  /// The entries in which the sweep passes all accounts.
  var checkpoint = 16_384
  /// Whether the window is small, old journal is deleted, and requests carry the time they were made at.
  var isForgetful = false
  /// Whether the store has the system's clock; else a clock that the first caller moves.
  var hasSystemClock = false
  /// Whether commits wait for the disk.
  var isSynced = false
  /// Whether nothing happens by itself: no expiry, no deadline, no refill.
  var isPlain = false

  /// All callers.
  var lanes: Int { threads * callersOfThread + callers }
  /// All accounts.
  var accounts: Int { hot + cold }
  /// Whether an account has auto-refill.
  func refills(_ account: Int) -> Bool { !isPlain && account < hot && account % 2 == 0 }
}

/// What each caller is to do at each step: a function of the step's number, so that any caller can repeat any step.
struct Plan: Sendable {
  /// The kinds of step.
  enum Verb: UInt8, Sendable {
    case debit, debitUpTo, usage, batch, hold, end, grant, expiring, repeatLatest, repeatEarlier, conflict, balance
    case gate
  }

  /// One step.
  struct Step: Sendable {
    var verb: Verb
    var account: Int
    /// Millionths of a credit.
    var amount: Int64 = 0
    /// For a debit by usage.
    var units: UInt64 = 0
    /// For a grant, in microseconds.
    var expires = Int64.max
    /// For a hold, in microseconds.
    var duration: Int64 = 0
    /// For a hold.
    var end = Hold.End.release
    /// Random bits for what is not fixed by all this.
    var dice: UInt64 = 0
  }

  /// A refill comes due when less than this is available.
  static let threshold: Int64 = 20_000_000
  /// What one refill buys at least.
  static let pack: Int64 = 50_000_000
  /// What a use costs, and each of its units.
  static let price: (base: Int64, unit: Int64) = (500_000, 250_000)
  /// The microseconds of one step.
  static let tick: Int64 = 1_000

  let seed: UInt64
  let profile: Profile
  /// The moment at which the run begins, in microseconds.
  let start: Int64

  /// The number of a step of a caller; items are the debits of a batch, from 1 upwards.
  static func number(_ lane: Int, _ step: UInt64, item: UInt64 = 0) -> UInt64 {
    UInt64(lane) << 40 | step << 8 | item
  }

  /// Random bits that belong to a number.
  func bits(_ number: UInt64, _ salt: UInt64) -> UInt64 {
    var mixed = (number &+ seed &* 0x9E37_79B9_7F4A_7C15) ^ (salt &* 0xD6E8_FEB8_6659_FD93)
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// The step of a number.
  func step(_ number: UInt64) -> Step {
    let (lane, count, item) = (Int(number >> 40), number >> 8 & 0xFFFF_FFFF, number & 0xFF)
    if lane == profile.lanes { return Step(verb: .grant, account: Int(count) - 1, amount: 30_000_000) }
    let dice = bits(number, 1)
    var step = Step(verb: verb(bits(number, 2) % 100, item), account: 0, dice: dice)
    let place = bits(number, 3)
    let isHot = profile.cold == 0 || place % 10 < 7
    step.account = Int(place >> 8) % (isHot ? profile.hot : profile.cold) + (isHot ? 0 : profile.hot)
    let size = Int64(bits(number, 4) >> 1)
    switch step.verb {
    case .debit, .gate: step.amount = 1 + size % 4_000_000
    case .debitUpTo: step.amount = 1 + size % 9_000_000
    case .usage:
      step.units = UInt64(1 + size % 12)
      step.amount = Plan.price.base + Plan.price.unit * Int64(step.units)
    case .hold:
      step.amount = 1 + size % 6_000_000
      step.duration = (profile.isPlain ? 10_000_000 : 30 + size % 250) * Plan.tick
      step.end = dice % 4 == 0 ? .capture : .release
    case .grant, .expiring:
      step.amount = 5_000_000 + size % 10_000_000
      if step.verb == .expiring { step.expires = start + (Int64(count) + 20 + size % 250) * Plan.tick }
    default: break
    }
    return step
  }

  private func verb(_ roll: UInt64, _ item: UInt64) -> Verb {
    if item > 0 { return .debit }
    switch roll {
    case ..<44: return .debit
    case ..<48: return .debitUpTo
    case ..<54: return .usage
    case ..<58: return .batch
    case ..<64: return .hold
    case ..<71: return .end
    case ..<77: return .grant
    case ..<80: return profile.isPlain ? .grant : .expiring
    case ..<85: return .repeatLatest
    case ..<89: return .repeatEarlier
    case ..<90: return .conflict
    case ..<97: return .balance
    default: return .gate
    }
  }

  // MARK: Ids

  /// The id of an account.
  static func id(_ account: Int) -> AccountID { AccountID(UInt64(account) + 1) }

  /// The account of an id.
  static func account(_ id: AccountID) -> Int { Int(id.low) - 1 }

  private static let plain: UInt64 = 0x11
  private static let mask: UInt64 = 0x3FFF_FFFF_FFFF_FFFF

  /// The request of a step.
  func request(_ number: UInt64) -> RequestID {
    guard profile.isForgetful else { return RequestID(high: Plan.plain, low: number) }
    let milliseconds = UInt64(start + Int64(number >> 8 & 0xFFFF_FFFF) * Plan.tick) / 1_000
    return RequestID(high: milliseconds << 16 | 0x7000, low: 0x8000_0000_0000_0000 | number)
  }

  /// The number of the step that a request belongs to; 0 if it belongs to none.
  static func number(_ request: RequestID?) -> UInt64 {
    guard let request else { return 0 }
    if request.high == plain { return request.low }
    return request.time == nil ? 0 : request.low & mask
  }
}
