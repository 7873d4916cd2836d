internal import Foundation

/// A chart of lines, drawn as SVG.
package struct Chart: Sendable {
  /// An axis of a chart.
  package struct Axis: Sendable {
    package var title: String
    /// Whether equal distances stand for equal ratios.
    package var isLogarithmic: Bool

    package init(_ title: String, isLogarithmic: Bool = false) {
      self.title = title
      self.isLogarithmic = isLogarithmic
    }
  }

  /// A line with its name.
  package struct Series: Sendable {
    package var name: String
    package var points: [(x: Double, y: Double)]

    package init(_ name: String, _ points: [(x: Double, y: Double)]) {
      self.name = name
      self.points = points
    }
  }

  package var title: String
  package var x: Axis
  package var y: Axis
  package var series: [Series]

  package init(title: String, x: Axis, y: Axis, series: [Series]) {
    self.title = title
    self.x = x
    self.y = y
    self.series = series
  }

  private static let (width, height) = (760.0, 440.0)
  private static let (left, right, top, bottom) = (84.0, 180.0, 44.0, 56.0)
  private static let colours = ["#0b6e4f", "#c44536", "#2f4b7c", "#d18f00", "#7a4ea3", "#3a9fbf", "#6b6b6b", "#a23b72"]

  /// The chart as a document of its own.
  package var svg: String {
    let drawn = series.map { series in
      Series(
        series.name,
        series.points.filter { $0.x.isFinite && $0.y.isFinite }.filter {
          (!x.isLogarithmic || $0.x > 0) && (!y.isLogarithmic || $0.y > 0)
        })
    }
    let (w, h) = (Chart.width, Chart.height)
    let across = Scale(drawn.flatMap { $0.points.map(\.x) }, x, from: Chart.left, to: w - Chart.right)
    let up = Scale(drawn.flatMap { $0.points.map(\.y) }, y, from: h - Chart.bottom, to: Chart.top)
    var parts = [
      #"<svg xmlns="http://www.w3.org/2000/svg" width="\#(Int(w))" height="\#(Int(h))" "#
        + #"viewBox="0 0 \#(Int(w)) \#(Int(h))" font-family="sans-serif" font-size="12">"#,
      #"<rect width="100%" height="100%" fill="white"/>"#,
      text(title, Chart.left, 24, #"font-size="15" font-weight="bold""#),
    ]
    for tick in up.ticks {
      let place = up.place(tick)
      parts.append(line(Chart.left, place, w - Chart.right, place, "#dddddd"))
      parts.append(text(Scale.label(tick), Chart.left - 6, place + 4, #"text-anchor="end""#))
    }
    for tick in across.ticks {
      let place = across.place(tick)
      parts.append(line(place, Chart.top, place, h - Chart.bottom, "#eeeeee"))
      parts.append(text(Scale.label(tick), place, h - Chart.bottom + 18, #"text-anchor="middle""#))
    }
    parts.append(text(x.title, (Chart.left + w - Chart.right) / 2, h - 14, #"text-anchor="middle""#))
    let middle = (Chart.top + h - Chart.bottom) / 2
    parts.append(text(y.title, 16, middle, #"text-anchor="middle" transform="rotate(-90 16 \#(number(middle)))""#))
    for (index, series) in drawn.enumerated() {
      let colour = Chart.colours[index % Chart.colours.count]
      let points = series.points.map { "\(number(across.place($0.x))),\(number(up.place($0.y)))" }
      parts.append(
        #"<polyline points="\#(points.joined(separator: " "))" fill="none" stroke="\#(colour)" stroke-width="2"/>"#)
      if points.count <= 60 {
        for point in series.points {
          let (px, py) = (number(across.place(point.x)), number(up.place(point.y)))
          parts.append(#"<circle cx="\#(px)" cy="\#(py)" r="3" fill="\#(colour)"/>"#)
        }
      }
      let place = Chart.top + 8 + Double(index) * 20
      parts.append(
        #"<rect x="\#(number(w - Chart.right + 14))" y="\#(number(place - 9))" width="12" height="12" "#
          + #"fill="\#(colour)"/>"#)
      parts.append(text(series.name, w - Chart.right + 32, place + 1, ""))
    }
    parts.append("</svg>\n")
    return parts.joined(separator: "\n")
  }

  private func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ colour: String) -> String {
    #"<line x1="\#(number(x1))" y1="\#(number(y1))" x2="\#(number(x2))" y2="\#(number(y2))" stroke="\#(colour)"/>"#
  }

  private func text(_ text: String, _ x: Double, _ y: Double, _ attributes: String) -> String {
    let escaped = text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
      .replacingOccurrences(of: ">", with: "&gt;")
    return #"<text x="\#(number(x))" y="\#(number(y))" \#(attributes)>\#(escaped)</text>"#
  }

  private func number(_ value: Double) -> String { value.fixed(1) }
}

/// What turns values into places along an axis.
struct Scale {
  let isLogarithmic: Bool
  let least: Double
  let most: Double
  let ticks: [Double]
  private let start: Double
  private let end: Double

  init(_ values: [Double], _ axis: Chart.Axis, from start: Double, to end: Double) {
    isLogarithmic = axis.isLogarithmic
    self.start = start
    self.end = end
    if axis.isLogarithmic {
      let low = Int(log10(values.min() ?? 1).rounded(.down))
      let high = max(low + 1, Int(log10(values.max() ?? 10).rounded(.up)))
      (least, most) = (pow(10, Double(low)), pow(10, Double(high)))
      ticks = (low...high).map { pow(10, Double($0)) }
    } else {
      let high = max(values.max() ?? 1, 1e-9)
      let step = Scale.step(high / 6)
      least = 0
      most = (high / step).rounded(.up) * step
      ticks = (0...Int((most / step).rounded())).map { Double($0) * step }
    }
  }

  func place(_ value: Double) -> Double {
    let part =
      isLogarithmic ? (log10(value) - log10(least)) / (log10(most) - log10(least)) : (value - least) / (most - least)
    return start + (end - start) * part
  }

  /// The next of 1, 2, 5, 10, ... that is no less than a distance.
  private static func step(_ distance: Double) -> Double {
    let power = pow(10, log10(distance).rounded(.down))
    let digit = distance / power
    return (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10) * power
  }

  /// A short text for a tick: `20k`, `1.5M`.
  static func label(_ value: Double) -> String {
    let units = [(1e9, "G"), (1e6, "M"), (1e3, "k")]
    for (unit, name) in units where value >= unit { return trimmed(value / unit) + name }
    return trimmed(value)
  }

  private static func trimmed(_ value: Double) -> String {
    let text = String(format: "%.3g", value)
    return text
  }
}
