internal import FaultSupport

/// What a recorded process did to its files, in order; `Sources/FaultShim/shim.c` says how it is written.
struct Recording {
  /// One thing that it did.
  enum Event {
    case process
    case open(handle: UInt32, path: String, isNew: Bool)
    case write(handle: UInt32, offset: Int, bytes: ArraySlice<UInt8>)
    case truncate(handle: UInt32, size: Int)
    case sync(handle: UInt32)
    /// Syncs what the write before it has written.
    case syncWrite(handle: UInt32)
    case makeFolder(path: String)
    case rename(from: String, to: String)
    case remove(path: String)
    case mark(Mark)

    /// Whether all that was written before the event, and not synced, may be lost until it.
    var isBoundary: Bool {
      switch self {
      case .sync, .syncWrite, .process: true
      default: false
      }
    }
  }

  var events: [Event] = []

  init(_ bytes: [UInt8]) {
    var place = 0
    func number(_ count: Int) -> Int {
      var value = 0
      for index in (0..<count).reversed() { value = value << 8 | Int(bytes[place + index]) }
      place += count
      return value
    }
    while place + 17 <= bytes.count {
      let kind = bytes[place]
      place += 1
      let (handle, value, length) = (UInt32(number(4)), number(8), number(4))
      // A process that was killed may have left half an event.
      guard place + length <= bytes.count else { break }
      let data = bytes[place..<place + length]
      place += length
      let text = String(decoding: data, as: UTF8.self)
      switch kind {
      case UInt8(ascii: "P"): events.append(.process)
      case UInt8(ascii: "O"): events.append(.open(handle: handle, path: text, isNew: value == 1))
      case UInt8(ascii: "W"): events.append(.write(handle: handle, offset: value, bytes: data))
      case UInt8(ascii: "T"): events.append(.truncate(handle: handle, size: value))
      case UInt8(ascii: "S"): events.append(.sync(handle: handle))
      case UInt8(ascii: "Y"): events.append(.syncWrite(handle: handle))
      case UInt8(ascii: "D"): events.append(.makeFolder(path: text))
      case UInt8(ascii: "U"), UInt8(ascii: "X"): events.append(.remove(path: text))
      case UInt8(ascii: "R"):
        let names = data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        events.append(.rename(from: names[0], to: names[1]))
      case UInt8(ascii: "M"):
        guard let mark = Mark(line: text.dropLast(text.hasSuffix("\n") ? 1 : 0)) else { fail("a bad mark: \(text)") }
        events.append(.mark(mark))
      default: fail("a recording has an event of kind \(kind)")
      }
    }
  }

  /// The same with every acknowledgement moved ahead of the syncs before it: what a store would record that
  /// acknowledges before its commit returns.
  func acknowledgingEarly() -> Recording {
    var copy = self
    for index in copy.events.indices {
      guard case .mark(.acknowledged(_, let sequence, _, _)) = copy.events[index], sequence > 0 else { continue }
      var place = index
      var syncs = 0
      while place > 0 {
        if copy.events[place - 1].isBoundary { syncs += 1 }
        // A commit has two syncs: of its pages, and of the meta page.
        if syncs > 2 { break }
        if case .mark = copy.events[place - 1] { break }
        if case .open = copy.events[place - 1] { break }
        place -= 1
      }
      let mark = copy.events.remove(at: index)
      copy.events.insert(mark, at: place)
    }
    return copy
  }
}
