import Credits

/// What is replayed: checked logs, accounts and the names of requests. Everything follows from it, run after
/// run.
struct ReplayPlan: Sendable {
  let run: String
  let accounts: [AccountID]
  let repeats: Int
  let callers: Int
  private let base: RequestID

  init(run: String, accounts: Int, repeats: Int, callers: Int) {
    self.run = run
    self.accounts = (1...accounts).map { AccountID(ReplayPlan.label($0)) }
    self.repeats = repeats
    self.callers = callers
    base = RequestID("creditctl replay, run: " + run)
  }

  /// The label of an account, by its number from 1.
  static func label(_ number: Int) -> String {
    let digits = String(number)
    return "replay-" + String(repeating: "0", count: max(0, 6 - digits.utf8.count)) + digits
  }

  /// The account of a line, as an index: the same for every run, spread evenly.
  func account(of ordinal: UInt64) -> Int {
    Int(Mixer.mix(ordinal &+ 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(by: UInt64(accounts.count)).high)
  }

  /// The request of a line: the run's hash, and the line's number in the low 62 bits.
  func request(of ordinal: UInt64) -> RequestID {
    let low = (base.low &+ ordinal) & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
    return RequestID(high: base.high, low: low)
  }

  /// The request that gives an account its credits.
  func grantRequest(of number: Int) -> RequestID { RequestID("creditctl replay, credits of \(number) in run: \(run)") }
}
