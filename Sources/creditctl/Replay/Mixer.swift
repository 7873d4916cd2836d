/// A generator of numbers that are spread evenly and the same on every machine.
///
/// Source: SplitMix64, G. Steele, D. Lea and C. Flood, "Fast Splittable Pseudorandom Number Generators" (2014).
struct Mixer: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return Mixer.mix(state)
  }

  /// Spreads a number over 64 bits; different numbers stay different.
  static func mix(_ number: UInt64) -> UInt64 {
    var value = number
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }

  /// A number below a bound, in a way that no change of the standard library can alter.
  mutating func below(_ bound: UInt64) -> UInt64 { next().multipliedFullWidth(by: bound).high }
}
