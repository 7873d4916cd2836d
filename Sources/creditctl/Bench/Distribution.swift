import Credits
import Glibc

/// A fast generator of random numbers that is the same on every machine: xorshift64*.
struct Dice {
  private var state: UInt64

  init(_ seed: Int) { state = UInt64(bitPattern: Int64(seed &+ 1)) &* 0x9E37_79B9_7F4A_7C15 | 1 }

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state &* 0x2545_F491_4F6C_DD1D
  }

  mutating func below(_ bound: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(bound)).high) }

  mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
}

/// How debits are spread over accounts.
///
/// The Zipfian distribution follows J. Gray and others, "Quickly Generating Billion-Record Synthetic Databases", 1994,
/// with the popular accounts scattered.
struct Distribution: Sendable {
  let accounts: Int
  private let exponent: Double?
  private let zeta: Double
  private let eta: Double

  /// All accounts alike.
  static func uniform(_ accounts: Int) -> Distribution { Distribution(accounts: accounts, exponent: nil) }

  /// A few accounts far more often than the others.
  static func zipfian(_ accounts: Int) -> Distribution { Distribution(accounts: accounts, exponent: 0.99) }

  private init(accounts: Int, exponent: Double?) {
    self.accounts = accounts
    self.exponent = exponent
    guard let exponent else {
      (zeta, eta) = (0, 0)
      return
    }
    var sum = 0.0
    for rank in 1...accounts { sum += 1 / pow(Double(rank), exponent) }
    zeta = sum
    let two = 1 + 1 / pow(2, exponent)
    eta = (1 - pow(2 / Double(accounts), 1 - exponent)) / (1 - two / sum)
  }

  /// The next account.
  func next(_ dice: inout Dice) -> AccountID {
    guard let exponent else { return AccountID(UInt64(dice.below(accounts) + 1)) }
    let unit = dice.unit()
    let scaled = unit * zeta
    var rank = 0
    if scaled >= 1 {
      rank =
        scaled < 1 + 1 / pow(2, exponent) ? 1 : Int(Double(accounts) * pow(eta * unit - eta + 1, 1 / (1 - exponent)))
    }
    let scattered = UInt64(min(rank, accounts - 1)) &* 0x9E37_79B9_7F4A_7C15
    return AccountID(scattered.multipliedFullWidth(by: UInt64(accounts)).high + 1)
  }
}
