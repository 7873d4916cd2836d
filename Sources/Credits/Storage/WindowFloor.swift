/// Where the request window ends: bounded by age and by count, moved on as the journal grows.
struct WindowFloor {
  private let requests: UInt64
  private let age: Duration
  /// Entries up to `sequence` are no later than `time`; oldest first.
  private var marks: [(sequence: SequenceNumber, time: Timestamp)]

  init(settings: Settings, forgotten: SequenceNumber, time: Timestamp) {
    requests = UInt64(settings.windowRequests)
    age = settings.windowAge
    marks = [(forgotten, time)]
  }

  /// Notes that the journal has come to an entry and a time; answers the new floor if it moved.
  mutating func advance(to sequence: SequenceNumber, _ time: Timestamp) -> (sequence: SequenceNumber, time: Timestamp)?
  {
    guard let last = marks.last else { return nil }
    // Sixty-four marks over the window: the floor is at most that much lower than it could be.
    let isFar = sequence.value - last.sequence.value >= max(1, requests / 64)
    let isLate = time.duration(since: last.time) >= age / 64
    if sequence > last.sequence, isFar || isLate { marks.append((sequence, max(time, last.time))) }
    let before = marks[0].sequence
    // Up to the last mark that leaves the whole window: a large frame must not push itself out of it.
    while marks.count > 1,
      sequence.value - marks[1].sequence.value >= requests || time.duration(since: marks[1].time) > age
    {
      marks.removeFirst()
    }
    return marks[0].sequence == before ? nil : marks[0]
  }
}
