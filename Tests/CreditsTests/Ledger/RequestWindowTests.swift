import Testing

@testable import Credits

@Suite("The request window")
struct RequestWindowTests {
  private func find(_ window: RequestWindow, _ fingerprint: UInt64, besides seen: [UInt64] = []) -> UInt64? {
    let shard = unsafe window.lockedShard(of: fingerprint)
    defer { unsafe shard.pointee.lock.unlock() }
    return unsafe window.find(fingerprint, in: shard, besides: seen.map { SequenceNumber($0) })?.value
  }

  @Test("what was remembered is found, and nothing else")
  func find() throws {
    let window = try RequestWindow(requests: 4_096)
    #expect(find(window, 0) == nil)
    window.restore([(0, SequenceNumber(1))])
    window.restore([(.max, SequenceNumber(2))])
    #expect(find(window, 0) == 1 && find(window, .max) == 2 && find(window, 1) == nil)
  }

  @Test("requests with the same fingerprint are found one after the other")
  func collisions() throws {
    let window = try RequestWindow(requests: 4_096)
    for sequence in UInt64(1)...3 { window.restore([(42, SequenceNumber(sequence))]) }
    #expect(find(window, 42) == 1 && find(window, 42, besides: [1]) == 2)
    #expect(find(window, 42, besides: [2, 1]) == 3 && find(window, 42, besides: [1, 2, 3]) == nil)
  }

  @Test("what lies before the floor is forgotten, and the floor has a time")
  func forgetting() throws {
    let window = try RequestWindow(requests: 4_096)
    for sequence in UInt64(1)...10 { window.restore([(sequence, SequenceNumber(sequence))]) }
    window.forget(upTo: SequenceNumber(4), before: Timestamp(seconds: 9))
    #expect(find(window, 4) == nil && find(window, 5) == 5)
    #expect(window.forgotten.value == 4 && window.oldest == Timestamp(seconds: 9))
  }

  @Test("G9: memory grows with what is remembered, not with what was ever asked")
  func growth() throws {
    let window = try RequestWindow(requests: 4_096)
    var random = RandomFingerprints()
    let before = window.bytes
    var recent: [UInt64] = []
    for sequence in UInt64(1)...200_000 {
      let fingerprint = random.next()
      window.restore([(fingerprint, SequenceNumber(sequence))])
      recent.append(fingerprint)
      if sequence % 1_000 == 0, sequence > 4_000 {
        window.forget(upTo: SequenceNumber(sequence - 4_000), before: .zero)
      }
    }
    #expect(window.bytes <= 16 * 4_000 * 8 && window.bytes >= before)
    for index in 0..<4_000 { #expect(find(window, recent[196_000 + index]) == UInt64(196_001 + index)) }
    #expect(find(window, recent[195_999]) == nil && find(window, recent[0]) == nil)
  }

  private struct RandomFingerprints {
    private var state: UInt64 = 1
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state ^ state >> 29
    }
  }
}
