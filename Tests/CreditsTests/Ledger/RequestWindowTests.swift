import Testing

@testable import Credits

@Suite("The request window")
struct RequestWindowTests {
  private func find(_ window: RequestWindow, _ fingerprint: UInt64, besides seen: [UInt64] = []) -> UInt64? {
    window.find(fingerprint, besides: seen.map { SequenceNumber($0) })?.value
  }

  private func insert(_ fingerprints: [UInt64], into window: RequestWindow, from first: UInt64) {
    for (index, fingerprint) in fingerprints.enumerated() {
      window.insert(fingerprint, SequenceNumber(first + UInt64(index)))
    }
  }

  /// Fingerprints that look random, the same ones each time.
  private struct Fingerprints {
    private var state: UInt64

    init(_ seed: UInt64 = 1) { state = seed }

    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state ^ state >> 29) &* 0xBF58_476D_1CE4_E5B9
    }

    mutating func next(_ count: Int) -> [UInt64] { (0..<count).map { _ in next() } }
  }

  @Test("what was remembered is found, and nothing else")
  func find() throws {
    let window = try RequestWindow(requests: 4_096)
    #expect(find(window, 0) == nil && find(window, .max) == nil)
    insert([0, .max], into: window, from: 1)
    #expect(find(window, 0) == 1 && find(window, .max) == 2)
    #expect(find(window, 2) == nil && find(window, 1 << 63) == nil)
  }

  @Test("requests with the same fingerprint are found one after the other")
  func collisions() throws {
    let window = try RequestWindow(requests: 4_096)
    insert([42, 42, 42], into: window, from: 1)
    #expect(find(window, 42) == 1 && find(window, 42, besides: [1]) == 2)
    #expect(find(window, 42, besides: [2, 1]) == 3 && find(window, 42, besides: [1, 2, 3]) == nil)
  }

  @Test("what lies before the floor is forgotten, and the floor has a time")
  func forgetting() throws {
    let window = try RequestWindow(requests: 4_096)
    insert((1...10).map { $0 << 8 }, into: window, from: 1)
    window.forget(upTo: SequenceNumber(4), before: Timestamp(seconds: 9))
    #expect(find(window, 4 << 8) == nil && find(window, 5 << 8) == 5)
    #expect(window.forgotten.value == 4 && window.oldest == Timestamp(seconds: 9))
  }

  @Test("requests that find their group full are found in the next ones, until all of them are forgotten")
  func fullGroups() throws {
    let window = try RequestWindow(requests: 4_096)
    // The upper half chooses the group: all of them begin in the last one, and go on at the first.
    let fingerprints = (UInt64(0)..<300).map { 0xFFFF_FFFF << 32 | $0 << 1 }
    insert(fingerprints, into: window, from: 1)
    for index in fingerprints.indices { #expect(find(window, fingerprints[index]) == UInt64(index) + 1) }
    window.forget(upTo: SequenceNumber(200), before: .zero)
    for index in fingerprints.indices {
      #expect(find(window, fingerprints[index]) == (index < 200 ? nil : UInt64(index) + 1))
    }
    // Those that come now take the places of what was forgotten.
    let others = (UInt64(300)..<400).map { 0xFFFF_FFFF << 32 | $0 << 1 }
    insert(others, into: window, from: 301)
    for index in 200..<300 { #expect(find(window, fingerprints[index]) == UInt64(index) + 1) }
    for index in others.indices { #expect(find(window, others[index]) == UInt64(index) + 301) }
  }

  @Test("where more are remembered than there is room for, the oldest make way")
  func tooMany() throws {
    let window = try RequestWindow(requests: 4_096)
    let fingerprints = (UInt64(0)..<1_000).map { $0 << 1 }
    insert(fingerprints, into: window, from: 1)
    for index in 993..<1_000 { #expect(find(window, fingerprints[index]) == UInt64(index) + 1) }
  }

  @Test("G9: memory stays as it is, and a full window is remembered to the last, whatever was asked before")
  func longUse() throws {
    let window = try RequestWindow(requests: 4_096)
    let bytes = window.bytes
    #expect(bytes <= 32 * 4_096)
    var random = Fingerprints()
    let all = random.next(200_000)
    for (index, fingerprint) in all.enumerated() {
      let sequence = UInt64(index) + 1
      window.insert(fingerprint, SequenceNumber(sequence))
      if sequence > 4_096 { window.forget(upTo: SequenceNumber(sequence - 4_096), before: .zero) }
      if sequence % 5_000 == 0 {
        for back in stride(from: 0, to: min(index, 4_095), by: 13) {
          #expect(find(window, all[index - back]) == sequence - UInt64(back))
        }
        if index >= 4_096 { #expect(find(window, all[index - 4_096]) == nil) }
      }
    }
    #expect(window.bytes == bytes)
  }

  @Test(
    "nothing is lost or found twice where the kept part of the numbers begins anew",
    arguments: [31, 32, 33, 40] as [UInt64])
  func wrapping(_ bits: UInt64) throws {
    let window = try RequestWindow(requests: 4_096)
    var random = Fingerprints(bits)
    let first = 1 << bits - 2_000 as UInt64
    window.forget(upTo: SequenceNumber(first - 1), before: .zero)
    let fingerprints = random.next(4_000)
    insert(fingerprints, into: window, from: first)
    for index in fingerprints.indices { #expect(find(window, fingerprints[index]) == first + UInt64(index)) }
    window.forget(upTo: SequenceNumber(first + 1_999), before: .zero)
    for index in fingerprints.indices {
      #expect(find(window, fingerprints[index]) == (index < 2_000 ? nil : first + UInt64(index)))
    }
  }

  @Test("an old request does not come back as a later one of the same number, since the hand clears it away")
  func oldWords() throws {
    let window = try RequestWindow(requests: 4_096)
    var random = Fingerprints()
    let old = random.next(1_000)
    insert(old, into: window, from: 1)
    window.tend(at: SequenceNumber(1_000))
    // Commits of the most entries that a frame can have, for more than 32 bits of numbers, all without a request.
    var sequence: UInt64 = 1_000
    while sequence < 5 << 30 {
      sequence += 13_000_000
      window.forget(upTo: SequenceNumber(sequence - 1), before: .zero)
      window.tend(at: SequenceNumber(sequence))
      for fingerprint in old where find(window, fingerprint) != nil {
        Issue.record("a forgotten request is found at \(sequence)")
        return
      }
    }
  }

  @Test("the hand leaves alone what is not forgotten")
  func tending() throws {
    let window = try RequestWindow(requests: 4_096)
    var random = Fingerprints()
    let all = random.next(2_000)
    insert(all, into: window, from: 1)
    window.forget(upTo: SequenceNumber(500), before: .zero)
    window.tend(at: SequenceNumber(1))
    window.tend(at: SequenceNumber(1 << 29))
    for index in all.indices { #expect(find(window, all[index]) == (index < 500 ? nil : UInt64(index) + 1)) }
  }

  @Test("what several threads read at an opening is remembered, whether or not a list had to wait for its turn")
  func restoring() async throws {
    let window = try RequestWindow(requests: 1_000_000)
    var random = Fingerprints()
    // The upper half chooses the group: the threads come to the same ones, often at the same time.
    let groups = random.next(4_096).map { $0 & ~0xFFFF_FFFF }
    func requests(of lane: UInt64) -> [RequestWindow.Remembered] {
      (0..<20_000).map { index in
        let number = lane * 20_000 + UInt64(index) + 1
        return (groups[index % groups.count] | number << 1, SequenceNumber(number))
      }
    }
    let all = (0..<4).map { requests(of: $0) }
    await withTaskGroup(of: Void.self) { group in
      for requests in all {
        group.addTask {
          var list: [RequestWindow.Remembered] = []
          for (index, request) in requests.enumerated() {
            list.append(request)
            if index % 400 == 399 { window.restore(&list, isLast: false) }
          }
          window.restore(&list, isLast: true)
          #expect(list.isEmpty)
        }
      }
    }
    for requests in all {
      let found = requests.count { find(window, $0.fingerprint) == $0.sequence.value }
      #expect(found == requests.count)
    }
  }

  @Test("many remember, one at a time, and look at once, each what is its own")
  func concurrency() async throws {
    let window = try RequestWindow(requests: 40_000)
    let next = Locked(UInt64(1))
    let lost = await withTaskGroup(of: Int.self) { group in
      for task in UInt64(0)..<4 {
        group.addTask {
          var random = Fingerprints(task)
          var recent: [(UInt64, UInt64)] = []
          var lost = 0
          for _ in 0..<50_000 {
            let fingerprint = random.next()
            let sequence = next.withLock { value -> UInt64 in
              value += 1
              if value % 500 == 0, value > 20_000 {
                window.forget(upTo: SequenceNumber(value - 20_000), before: .zero)
                window.tend(at: SequenceNumber(value))
              }
              window.insert(fingerprint, SequenceNumber(value))
              return value
            }
            recent.append((fingerprint, sequence))
            let looked = recent[Int(fingerprint % UInt64(recent.count))]
            let found = window.find(looked.0, besides: [])?.value
            if found != looked.1, looked.1 > window.forgotten.value { lost += 1 }
          }
          return lost
        }
      }
      return await group.reduce(0, +)
    }
    #expect(lost == 0)
  }
}
