import Credits

/// What a first reading of all logs, from start to end, found. Nothing is debited before it has passed.
struct UsageCheck: Equatable {
  var lines: UInt64 = 0
  /// Lines that cost nothing.
  var free: UInt64 = 0
  /// The sum of all prices, in millionths of a credit.
  var price: Int128 = 0
  var first: Timestamp?
  var last: Timestamp?

  /// Reads the logs and throws the first thing that is wrong with them.
  init(_ logs: [UsageLog], _ prices: ReplayPrices) throws(UsageLogError) {
    for log in logs {
      while let line = try log.next() {
        let amount: Amount
        switch prices.price(of: prices.usage(of: line, feature: log.feature)) {
        case .success(let price): amount = price
        case .failure(let error): throw log.failure(error.reason)
        }
        lines += 1
        if amount == .zero { free += 1 }
        price += Int128(amount.millionths)
        if let time = line.time {
          first = min(first ?? time, time)
          last = max(last ?? time, time)
        }
      }
      try log.checkUnchanged()
    }
  }
}
