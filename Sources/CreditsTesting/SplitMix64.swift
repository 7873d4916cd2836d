/// A small random generator whose sequence depends on its seed alone, so that a failing run can be repeated.
///
/// Source: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", 2014.
public struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// Makes the generator of a seed.
  public init(seed: UInt64) { state = seed }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var bits = state
    bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
    return bits ^ (bits >> 31)
  }

  /// A number below a bound, nearly uniform: fast, and the same on every machine and in every version of Swift.
  public mutating func below(_ bound: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// True once in so many calls.
  public mutating func once(in count: Int) -> Bool { below(count) == 0 }

  /// One of some values.
  public mutating func pick<T>(_ values: some RandomAccessCollection<T>) -> T {
    values[values.index(values.startIndex, offsetBy: below(values.count))]
  }
}
