/// Where the decisions of a workload come from: from a seed, or from bytes that a fuzzer has chosen.
///
/// A decision takes as few bytes as its range needs, so that a changed byte changes one decision. After the last byte
/// every decision is for the first possibility.
public struct Choices: RandomNumberGenerator, Sendable {
  private var random: SplitMix64
  private let bytes: [UInt8]
  private var place = 0

  /// Whether bytes decide; false if a seed does.
  public let areGiven: Bool

  /// Makes the decisions of a seed: as many as are asked for.
  public init(seed: UInt64) {
    random = SplitMix64(seed: seed)
    bytes = []
    areGiven = false
  }

  /// Makes the decisions that bytes say.
  public init(bytes: some Sequence<UInt8>) {
    random = SplitMix64(seed: 0)
    self.bytes = Array(bytes)
    areGiven = true
  }

  /// Whether all bytes are used up; always false with a seed.
  public var isAtEnd: Bool { areGiven && place >= bytes.count }

  /// The bytes that are left.
  public var rest: ArraySlice<UInt8> { bytes[min(place, bytes.count)...] }

  /// 64 bits; never the same for ever, so that whoever asks until the answer fits comes to an end.
  public mutating func next() -> UInt64 { isAtEnd || !areGiven ? random.next() : number(of: 8) }

  /// A number below a bound.
  public mutating func below(_ bound: Int) -> Int {
    guard areGiven else { return random.below(bound) }
    let count = bound <= 1 << 8 ? 1 : bound <= 1 << 16 ? 2 : bound <= 1 << 32 ? 4 : 8
    return Int(number(of: count) % UInt64(bound))
  }

  /// True once in so many calls.
  public mutating func once(in count: Int) -> Bool { below(count) == 0 }

  /// One of some values.
  public mutating func pick<T>(_ values: some RandomAccessCollection<T>) -> T {
    values[values.index(values.startIndex, offsetBy: below(values.count))]
  }

  private mutating func number(of count: Int) -> UInt64 {
    var number: UInt64 = 0
    for index in 0..<count where place < bytes.count {
      number |= UInt64(bytes[place]) << UInt64(8 * index)
      place += 1
    }
    return number
  }
}
