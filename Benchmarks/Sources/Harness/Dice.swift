/// A fast generator of random numbers that is the same on every machine: xorshift64*.
@frozen
package struct Dice: Sendable {
  @usableFromInline var state: UInt64

  package init(_ seed: Int) { state = UInt64(bitPattern: Int64(seed &+ 1)) &* 0x9E37_79B9_7F4A_7C15 | 1 }

  @inlinable
  package mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state &* 0x2545_F491_4F6C_DD1D
  }

  /// A number from 0 up to, but not including, a bound.
  @inlinable
  package mutating func below(_ bound: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(bound)).high) }

  /// A number from 0 up to, but not including, 1.
  @inlinable
  package mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
}
