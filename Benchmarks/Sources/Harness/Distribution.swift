internal import Foundation

/// How debits are spread over accounts, which are numbered from 1 upwards.
package struct Distribution: Sendable {
  /// The kinds of distribution, by the names that options use.
  package enum Kind: String, Sendable, CaseIterable, Codable {
    /// All accounts alike.
    case uniform
    /// A few accounts far more often than the others, exponent 0.99, the popular ones scattered.
    case zipfian
    /// One account only.
    case hot
  }

  package let kind: Kind
  package let accounts: Int
  private let zeta: Double
  private let eta: Double
  private let half: Double

  private static let exponent = 0.99

  /// Makes a distribution.
  ///
  /// The Zipfian one follows J. Gray and others, "Quickly Generating Billion-Record Synthetic Databases", 1994. Its sum
  /// is exact up to 10 million accounts; the rest of it is an integral, which differs by less than one part in a billion.
  package init(_ kind: Kind, accounts: Int) {
    self.kind = kind
    self.accounts = accounts
    guard kind == .zipfian, accounts > 1 else {
      (zeta, eta, half) = (1, 0, 0)
      return
    }
    let exponent = Distribution.exponent
    let exact = min(accounts, 10_000_000)
    var sum = 0.0
    for rank in 1...exact { sum += 1 / pow(Double(rank), exponent) }
    if accounts > exact {
      let power = 1 - exponent
      sum += (pow(Double(accounts) + 0.5, power) - pow(Double(exact) + 0.5, power)) / power
    }
    zeta = sum
    half = 1 + 1 / pow(2, exponent)
    eta = (1 - pow(2 / Double(accounts), 1 - exponent)) / (1 - half / sum)
  }

  /// The next account's number, from 1 upwards.
  package func next(_ dice: inout Dice) -> Int {
    switch kind {
    case .uniform: return dice.below(accounts) + 1
    case .hot: return 1
    case .zipfian:
      guard accounts > 1 else { return 1 }
      let rank = rank(dice.unit())
      let scattered = UInt64(rank) &* 0x9E37_79B9_7F4A_7C15
      return Int(scattered.multipliedFullWidth(by: UInt64(accounts)).high) + 1
    }
  }

  /// The rank, from 0 for the most popular account, that belongs to a random number from 0 to 1.
  package func rank(_ unit: Double) -> Int {
    let scaled = unit * zeta
    if scaled < 1 { return 0 }
    if scaled < half { return 1 }
    let rank = Double(accounts) * pow(eta * unit - eta + 1, 1 / (1 - Distribution.exponent))
    return min(Int(rank), accounts - 1)
  }
}
