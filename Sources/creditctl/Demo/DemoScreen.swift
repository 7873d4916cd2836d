import Credits

/// What the screen of the demonstration shows besides the scene.
struct DemoView: Sendable {
  let scene: DemoScene
  let time: Timestamp
  /// The part of the time that has passed, from 0 to 1.
  let part: Double
  let span: Duration
  let speed: DemoSpeed
  let available: Int128
  let held: Int128
  /// The accounts that have spent most: name, spent, available.
  let busiest: [(name: String, spent: Int128, available: Amount)]
  /// Requests and entries per second of real time, of late.
  let requestsPerSecond: Double
  let entriesPerSecond: Double
}

/// The screen of the demonstration as lines of text that fit a terminal.
struct DemoScreen {
  let width: Int
  let height: Int

  /// The widths of the two columns, with three blanks between them.
  private var leftWidth: Int { (whole - 3) * 11 / 20 }
  private var rightWidth: Int { whole - 3 - leftWidth }

  /// The width that is laid out; what a narrower terminal has no room for is cut off.
  private var whole: Int { max(width, 60) }

  /// The lines, no more than the height, none longer than the width.
  func lines(_ view: DemoView) -> [ScreenLine] {
    var lines = header(view) + [ScreenLine(text: "")]
    let right = refills(view)
    let spending = spending(view)
    // Events need a title and some lines; what is left goes to the accounts.
    let room = height - lines.count - spending.count - 3
    let accounts = busiest(view, most: max(3, min(room / 2, right.count - spending.count + room / 3)))
    lines += columns(spending + [ScreenLine(text: "")] + accounts, right)
    lines.append(ScreenLine(text: ""))
    lines += events(view, most: height - lines.count)
    return lines.prefix(height).map { ScreenLine(text: $0.text.cut(to: width), isTitle: $0.isTitle) }
  }

  // MARK: The parts

  private func header(_ view: DemoView) -> [ScreenLine] {
    let scene = view.scene
    let percent = Int(min(1, max(0, view.part)) * 100)
    let title = "creditctl demo   \(view.time.brief)   speed \(view.speed)   \(percent)% of \(Self.hours(view.span))"
    let end = "ctrl-C ends"
    let gap = whole - title.count - end.count
    let first = gap >= 2 ? title + String(repeating: " ", count: gap) + end : title
    let denied = scene.count(.denied)
    return [
      ScreenLine(text: first, isTitle: true), ScreenLine(text: Self.bar(view.part, width: whole, empty: "░")),
      ScreenLine(
        text: "\(scene.accounts.grouped) accounts have \(Self.whole(view.available)) credits, "
          + "\(Self.whole(view.held)) held; \(Self.whole(scene.spent)) spent; prices version \(scene.priceVersion)"),
      ScreenLine(
        text: "\(scene.requests.grouped) requests, \(denied.grouped) denied; "
          + "\(view.requestsPerSecond.short) requests/s, \(view.entriesPerSecond.short) entries/s"),
    ]
  }

  private func spending(_ view: DemoView) -> [ScreenLine] {
    let ranking = view.scene.ranking.prefix(4)
    let most = ranking.first?.feature.spent ?? 0
    return [ScreenLine(text: "SPENT BY FEATURE", isTitle: true)]
      + ranking.map { name, feature in
        row(name, Self.share(feature.spent, of: most), Self.whole(feature.spent), label: 7, width: leftWidth)
      }
  }

  private func busiest(_ view: DemoView, most count: Int) -> [ScreenLine] {
    let accounts = view.busiest.prefix(count)
    let most = accounts.map { Int128($0.available.millionths) }.max() ?? 0
    let label = min(14, accounts.map(\.name.count).max() ?? 0)
    return [ScreenLine(text: "BUSIEST ACCOUNTS, AVAILABLE", isTitle: true)]
      + accounts.map { name, _, available in
        let sum = Int128(available.millionths)
        return row(name, Self.share(sum, of: most), Self.whole(sum), label: label, width: leftWidth)
      }
  }

  private func refills(_ view: DemoView) -> [ScreenLine] {
    let scene = view.scene
    let states = scene.refillStates
    let most = states.values.max() ?? 0
    let rows = DemoScreen.statesShown.map { state in
      row(
        state, Self.share(Int128(states[state] ?? 0), of: Int128(most)), (states[state] ?? 0).grouped, label: 12,
        width: rightWidth)
    }
    return [ScreenLine(text: "AUTO-REFILL BY STATE", isTitle: true)] + rows + [
      ScreenLine(text: "refills \(Self.dollars(scene.refilled)), purchases \(Self.dollars(scene.bought))"),
      ScreenLine(text: "\(scene.count(.credited).grouped) paid, \(scene.count(.declined).grouped) declined"),
    ]
  }

  private static let statesShown = DemoScene.states.filter { $0 != "off" }

  private func events(_ view: DemoView, most: Int) -> [ScreenLine] {
    guard most >= 2 else { return [] }
    // A charge comes to something a moment after it is sent: that is told.
    let shown = view.scene.events.filter { $0.kind != .charging }.suffix(most - 1)
    let label = shown.map(\.name.count).max() ?? 0
    return [ScreenLine(text: "EVENTS", isTitle: true)]
      + shown.map { event in
        let name = event.name + String(repeating: " ", count: label - event.name.count)
        return ScreenLine(text: "\(event.time.brief.dropFirst(11))  \(name)  \(event.text)".escapedForTerminal)
      }
  }

  // MARK: Pieces

  private func columns(_ left: [ScreenLine], _ right: [ScreenLine]) -> [ScreenLine] {
    (0..<max(left.count, right.count)).map { index in
      let first = index < left.count ? left[index] : ScreenLine(text: "")
      let second = index < right.count ? right[index] : ScreenLine(text: "")
      let text = first.text.cut(to: leftWidth)
      let gap = String(repeating: " ", count: leftWidth - text.count + 3)
      let whole = second.text.isEmpty ? text : text + gap + second.text.cut(to: rightWidth)
      return ScreenLine(text: whole, isTitle: first.isTitle && (second.isTitle || second.text.isEmpty))
    }
  }

  /// A name, a bar and a number, in columns.
  private func row(_ name: String, _ share: Double, _ value: String, label: Int, width: Int) -> ScreenLine {
    let name = name.escapedForTerminal.cut(to: label)
    let number = String(repeating: " ", count: max(0, 9 - value.count)) + value
    let room = width - label - number.count - 2
    let bar = room < 3 ? "" : Self.bar(share, width: room, empty: " ")
    return ScreenLine(text: name + String(repeating: " ", count: label - name.count) + " " + bar + " " + number)
  }

  private static func share(_ part: Int128, of most: Int128) -> Double {
    most <= 0 ? 0 : min(1, max(0, Double(part) / Double(most)))
  }

  /// A bar of eighths of a character.
  static func bar(_ share: Double, width: Int, empty: Character) -> String {
    let eighths = Int((min(1, max(0, share.isFinite ? share : 0)) * Double(width * 8)).rounded())
    let parts: [Character] = ["▏", "▎", "▍", "▌", "▋", "▊", "▉"]
    var bar = String(repeating: "█", count: eighths / 8)
    if eighths % 8 > 0 { bar.append(parts[eighths % 8 - 1]) }
    return bar + String(repeating: empty, count: width - bar.count)
  }

  /// Whole credits of a sum of millionths.
  private static func whole(_ millionths: Int128) -> String { (millionths / 1_000_000).grouped }

  private static func dollars(_ minor: Int64) -> String { "$\((minor / 100).grouped)" }

  private static func hours(_ span: Duration) -> String {
    let seconds = span.components.seconds
    return seconds % 3_600 == 0 ? "\(seconds / 3_600) h" : seconds % 60 == 0 ? "\(seconds / 60) min" : "\(seconds) s"
  }
}
