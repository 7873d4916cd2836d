/// A natural number of any size, by the methods of school: slow, and independent of the code under test.
struct BigNatural: Comparable {
  /// Digits to the base 2^32, the least first, without leading zeros.
  private(set) var digits: [UInt32] = []

  init(_ value: UInt64) {
    digits = [UInt32(truncatingIfNeeded: value), UInt32(value >> 32)]
    trim()
  }

  /// Parses decimal digits.
  init?(_ text: String) {
    for byte in text.utf8 {
      guard byte >= 48, byte <= 57 else { return nil }
      self = self * BigNatural(10) + BigNatural(UInt64(byte - 48))
    }
    if text.isEmpty { return nil }
  }

  private mutating func trim() { while digits.last == 0 { digits.removeLast() } }

  private func digit(_ index: Int) -> UInt64 { index < digits.count ? UInt64(digits[index]) : 0 }

  static func < (left: BigNatural, right: BigNatural) -> Bool {
    if left.digits.count != right.digits.count { return left.digits.count < right.digits.count }
    return left.digits.reversed().lexicographicallyPrecedes(right.digits.reversed())
  }

  static func + (left: BigNatural, right: BigNatural) -> BigNatural {
    var sum = BigNatural(0)
    var carry: UInt64 = 0
    for index in 0...max(left.digits.count, right.digits.count) {
      carry += left.digit(index) + right.digit(index)
      sum.digits.append(UInt32(truncatingIfNeeded: carry))
      carry >>= 32
    }
    sum.trim()
    return sum
  }

  static func - (left: BigNatural, right: BigNatural) -> BigNatural {
    var difference = BigNatural(0)
    var borrow: UInt64 = 0
    for index in 0..<left.digits.count {
      let next = left.digit(index) &- right.digit(index) &- borrow
      difference.digits.append(UInt32(truncatingIfNeeded: next))
      borrow = next >> 63
    }
    difference.trim()
    return difference
  }

  static func * (left: BigNatural, right: BigNatural) -> BigNatural {
    var product = BigNatural(0)
    product.digits = [UInt32](repeating: 0, count: left.digits.count + right.digits.count + 1)
    for (index, digit) in left.digits.enumerated() {
      var carry: UInt64 = 0
      for place in 0...right.digits.count {
        carry += UInt64(digit) * right.digit(place) + UInt64(product.digits[index + place])
        product.digits[index + place] = UInt32(truncatingIfNeeded: carry)
        carry >>= 32
      }
    }
    product.trim()
    return product
  }

  /// The quotient, rounded up, bit by bit.
  func dividedUp(by divisor: BigNatural) -> BigNatural {
    var quotient = BigNatural(0)
    var rest = BigNatural(0)
    quotient.digits = [UInt32](repeating: 0, count: digits.count)
    for bit in stride(from: digits.count * 32 - 1, through: 0, by: -1) {
      rest = rest + rest + BigNatural(UInt64(digits[bit / 32] >> UInt32(bit % 32) & 1))
      if rest >= divisor {
        rest = rest - divisor
        quotient.digits[bit / 32] |= 1 << UInt32(bit % 32)
      }
    }
    quotient.trim()
    return rest > BigNatural(0) ? quotient + BigNatural(1) : quotient
  }

  /// The number, if it is at most the greatest amount.
  var amount: Int64? {
    digits.count > 2 ? nil : Int64(exactly: digit(0) | digit(1) << 32)
  }
}

/// An exact fraction.
struct BigFraction: Equatable {
  var numerator: BigNatural
  var denominator: BigNatural

  init(_ numerator: BigNatural, over denominator: BigNatural = BigNatural(1)) {
    self.numerator = numerator
    self.denominator = denominator
  }

  /// Parses what a price's breakdown writes: decimals, and a fraction of millionths behind a plus.
  init?(breakdown text: String) {
    let halves = text.split(separator: " + ", maxSplits: 1)
    guard let first = halves.first else { return nil }
    let parts = first.split(separator: ".", maxSplits: 1)
    let decimals = parts.count == 2 ? String(parts[1]) : ""
    guard let digits = BigNatural(String(parts[0]) + decimals) else { return nil }
    var scale = BigNatural(1)
    for _ in decimals.utf8 { scale = scale * BigNatural(10) }
    self.init(digits, over: scale)
    guard halves.count == 2 else { return }
    let fraction = halves[1].split(separator: " ")[0].split(separator: "/")
    guard fraction.count == 2, let top = BigNatural(String(fraction[0])), let bottom = BigNatural(String(fraction[1]))
    else { return nil }
    self = self + BigFraction(top, over: bottom * BigNatural(1_000_000))
  }

  static func == (left: BigFraction, right: BigFraction) -> Bool {
    left.numerator * right.denominator == right.numerator * left.denominator
  }

  static func + (left: BigFraction, right: BigFraction) -> BigFraction {
    BigFraction(
      left.numerator * right.denominator + right.numerator * left.denominator,
      over: left.denominator * right.denominator)
  }

  static func * (left: BigFraction, right: BigFraction) -> BigFraction {
    BigFraction(left.numerator * right.numerator, over: left.denominator * right.denominator)
  }
}
