internal import Foundation

extension BinaryInteger {
  /// The number with commas between thousands.
  package var grouped: String {
    let digits = Array(String(magnitude))
    var text = self < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return text
  }
}

extension Double {
  /// The number with as many decimals as three digits leave room for, and commas between thousands.
  package var short: String {
    guard isFinite, magnitude < 1e15 else { return "-" }
    if magnitude >= 1_000 { return Int(rounded()).grouped }
    return fixed(magnitude < 10 ? 2 : magnitude < 100 ? 1 : 0)
  }

  /// The number with a fixed number of decimals.
  package func fixed(_ decimals: Int) -> String { String(format: "%.\(decimals)f", self) }
}

extension [Double] {
  /// The middle one; of an even number of values the higher one of the two in the middle.
  package var median: Double {
    let ordered = sorted()
    return ordered.isEmpty ? .nan : ordered[ordered.count / 2]
  }
}

/// A number of bytes in the unit that reads best.
package func bytes(_ count: Int) -> String {
  let units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
  var value = Double(count)
  var unit = 0
  while value >= 1024, unit < units.count - 1 {
    value /= 1024
    unit += 1
  }
  return unit == 0 ? "\(count) bytes" : "\(value.short) \(units[unit])"
}
