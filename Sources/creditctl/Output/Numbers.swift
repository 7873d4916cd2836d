import Credits

extension BinaryInteger {
  /// The number with commas between thousands.
  var grouped: String {
    let digits = Array(String(magnitude))
    var text = self < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return text
  }
}

extension Amount {
  /// The amount with commas between thousands, exact.
  var grouped: String { Int128(millionths).credits }
}

extension Int128 {
  /// A sum of millionths of a credit as exact decimal text, with commas between thousands.
  var credits: String { exact { $0.grouped } }

  /// A sum of millionths of a credit as exact decimal text.
  var plainCredits: String { exact { String($0) } }

  private func exact(_ whole: (UInt128) -> String) -> String {
    let fraction = String(magnitude % 1_000_000 + 1_000_000).dropFirst()
    let decimals = fraction.reversed().drop { $0 == "0" }.reversed()
    return (self < 0 ? "-" : "") + whole(magnitude / 1_000_000) + (decimals.isEmpty ? "" : "." + String(decimals))
  }
}

extension Duration {
  /// The duration in seconds.
  var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) / 1e18
  }

  /// The duration in the unit that reads best, with three digits or so.
  var brief: String {
    let nanoseconds = seconds * 1e9
    switch nanoseconds {
    case ..<1_000: return "\(Int(nanoseconds.rounded())) ns"
    case ..<1_000_000: return (nanoseconds / 1e3).short + " µs"
    case ..<1_000_000_000: return (nanoseconds / 1e6).short + " ms"
    case ..<120_000_000_000: return (nanoseconds / 1e9).short + " s"
    default: return "\(Int(seconds) / 60) min \(Int(seconds) % 60) s"
    }
  }
}

extension Double {
  /// The number with as many decimals as three digits leave room for.
  var short: String {
    let decimals = magnitude < 10 ? 2 : magnitude < 100 ? 1 : 0
    return fixed(decimals)
  }

  /// The number with a fixed number of decimals.
  func fixed(_ decimals: Int) -> String {
    guard isFinite, magnitude < 1e15 else { return "\(self)" }
    var scale = 1
    for _ in 0..<decimals { scale *= 10 }
    let scaled = Int64((magnitude * Double(scale)).rounded())
    let sign = self < 0 && scaled > 0 ? "-" : ""
    guard decimals > 0 else { return sign + String(scaled) }
    let fraction = String(scaled % Int64(scale) + Int64(scale)).dropFirst()
    return "\(sign)\(scaled / Int64(scale)).\(fraction)"
  }
}

/// A number of bytes in the unit that reads best.
func bytes(_ count: Int) -> String {
  let units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
  var value = Double(count)
  var unit = 0
  while value >= 1024, unit < units.count - 1 {
    value /= 1024
    unit += 1
  }
  return unit == 0 ? "\(count) bytes" : "\(value.short) \(units[unit])"
}
