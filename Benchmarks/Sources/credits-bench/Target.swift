/// The targets that a store is measured against, with what each is about.
enum Target: String, CaseIterable {
  case p1, p2, p3, p4, p5, p6, p7, p8, p9, p10

  /// What is measured.
  var title: String {
    switch self {
    case .p1: "batches of 8,192, durable"
    case .p2: "single calls, durable, 8,192 in flight"
    case .p3: "one caller, durable: median against a bare LMDB commit"
    case .p4: "single calls, applied, 2 callers"
    case .p5: "bytes to the disk per debit, batches as above"
    case .p6: "balance reads, one thread"
    case .p7: "opening"
    case .p8: "memory without files, bound of 1,000,000 resident accounts"
    case .p9: "p99.9 with the sweep against without, 1,024 in flight"
    case .p10: "a second core; a hundredfold more accounts"
    }
  }
}

/// What a figure must come to.
struct Goal {
  let text: String
  let isReached: (Double) -> Bool

  static func atLeast(_ value: Double, _ text: String) -> Goal { Goal(text: text) { $0 >= value } }
  static func below(_ value: Double, _ text: String) -> Goal { Goal(text: text) { $0 < value } }
  static func atMost(_ value: Double, _ text: String) -> Goal { Goal(text: text) { $0 <= value } }
  static func above(_ value: Double, _ text: String) -> Goal { Goal(text: text) { $0 > value } }
}
