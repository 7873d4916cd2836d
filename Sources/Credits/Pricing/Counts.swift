/// The number of units of each rate of a feature, in the order of its rates; zero beyond the last rate.
package struct Counts: Hashable, Sendable, BitwiseCopyable {
  /// How many rates a feature has at most.
  package static let capacity = 4

  private var first: UInt64 = 0
  private var second: UInt64 = 0
  private var third: UInt64 = 0
  private var fourth: UInt64 = 0

  /// Makes counts that are all zero.
  package init() {}

  /// The count of a rate, from 0 on; traps beyond the fourth.
  package subscript(index: Int) -> UInt64 {
    get {
      switch index {
      case 0: first
      case 1: second
      case 2: third
      case 3: fourth
      default: preconditionFailure("a feature has four rates at most; there is no count \(index)")
      }
    }
    set {
      switch index {
      case 0: first = newValue
      case 1: second = newValue
      case 2: third = newValue
      case 3: fourth = newValue
      default: preconditionFailure("a feature has four rates at most; there is no count \(index)")
      }
    }
  }
}
