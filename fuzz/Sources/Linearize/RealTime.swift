/// Compares an order with real time: what returned before something began must come before it.
///
/// Each call has a place of its own, or one that it is not before (a repetition comes after what it repeats), or none.
struct RealTime {
  private struct Item {
    let call: Int32
    let began: UInt64
    let returned: UInt64
    let exact: Int
    let least: Int
  }

  private var items: [Item] = []
  /// Calls of which one, nobody knows which, has a place.
  private var shared: [Int: (call: Int32, began: UInt64, returned: UInt64)] = [:]
  /// The place that each call without one is not before, and not after.
  private var ranges: [Int32: (Int, Int)] = [:]

  /// The calls that went on at the same time as an earlier one.
  private(set) var overlapping = 0

  init(capacity: Int) { items.reserveCapacity(capacity) }

  mutating func add(_ call: Int32, _ began: UInt64, _ returned: UInt64, exact: Int, least: Int) {
    items.append(Item(call: call, began: began, returned: returned, exact: exact, least: least))
  }

  mutating func addShared(_ call: Int32, _ began: UInt64, _ returned: UInt64, place: Int) {
    let known = shared[place]
    shared[place] = (call, min(known?.began ?? .max, began), min(known?.returned ?? .max, returned))
  }

  /// The calls that come before a place that had been seen when they began.
  mutating func check() -> [(Int, Int32)] {
    for (place, item) in shared { add(item.call, item.began, item.returned, exact: place, least: -1) }
    let byBegin = items.indices.sorted { items[$0].began < items[$1].began }
    let byReturn = items.indices.sorted { items[$0].returned < items[$1].returned }
    var wrong: [(Int, Int32)] = []
    var (next, floor, latest): (Int, Int, UInt64) = (0, -1, 0)
    for index in byBegin {
      let item = items[index]
      if item.began < latest { overlapping += 1 }
      if item.returned != .max { latest = max(latest, item.returned) }
      while next < byReturn.count, items[byReturn[next]].returned < item.began {
        floor = max(floor, items[byReturn[next]].exact, items[byReturn[next]].least)
        next += 1
      }
      if item.exact >= 0, item.exact < floor { wrong.append((floor, item.call)) }
      if item.exact < 0, item.least < 0 { ranges[item.call] = (floor, .max) }
    }
    // From the end: the first place that anybody has who began after a call without a place had returned.
    var ceiling = Int.max
    next = byBegin.count - 1
    for index in byReturn.reversed() {
      let item = items[index]
      while next >= 0, items[byBegin[next]].began > item.returned {
        if items[byBegin[next]].exact >= 0 { ceiling = min(ceiling, items[byBegin[next]].exact) }
        next -= 1
      }
      if let range = ranges[item.call], item.exact < 0, item.least < 0 { ranges[item.call] = (range.0, ceiling) }
    }
    return wrong
  }

  /// The places between which a call without one lies.
  func range(of call: Int32) -> ClosedRange<Int>? {
    guard let (low, high) = ranges[call], low <= high else { return nil }
    return low...high
  }
}
