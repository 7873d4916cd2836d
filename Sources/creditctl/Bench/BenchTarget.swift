/// The targets that a store is measured against, with what each is about.
enum BenchTarget: String, CaseIterable {
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

  /// What is to be reached.
  var goal: String {
    switch self {
    case .p1: "3,000,000/s"
    case .p2: "1,000,000/s"
    case .p3: "1.3 x"
    case .p4: "5,000,000/s, median 500 ns"
    case .p5: "130 bytes"
    case .p6: "10,000,000/s"
    case .p7: "100 ms clean; 10,000,000 entries in 4 s"
    case .p8: "400 MiB"
    case .p9: "2 x"
    case .p10: "above 1 x; above 0.5 x"
    }
  }
}

/// One figure of a target, measured several times.
struct Figure {
  let target: BenchTarget
  /// What the figure is, where a target has more than one.
  let name: String
  let unit: String
  var values: [Double] = []
  /// The processor time that others used meanwhile, in percent of one core.
  var others: [Double] = []
  /// Whether a median reaches the target; nil for a figure that explains another.
  var reaches: ((Double) -> Bool)?

  var median: Double {
    let sorted = values.sorted()
    return sorted.isEmpty ? .nan : sorted[sorted.count / 2]
  }

  var spread: String {
    guard let least = values.min(), let most = values.max(), values.count > 1 else { return "" }
    return "\(Figure.format(least)) to \(Figure.format(most))"
  }

  static func format(_ value: Double) -> String { value >= 10_000 ? Int(value).grouped : value.short }
}
