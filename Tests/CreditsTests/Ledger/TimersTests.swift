import CreditsTesting
import Testing

@testable import Credits

@Suite("Timers")
struct TimersTests {
  @Test("rows come out in the order of time, whatever the order they went in", arguments: 0..<8)
  func order(_ seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var timers = Timers()
    #expect(timers.soonest == .never && timers.pop() == nil)
    var model: [Int64] = []
    for step in 0..<2_000 {
      if random.below(3) > 0 {
        let time = Int64(random.below(500))
        timers.push(Timestamp(microseconds: time), UInt32(step))
        model.append(time)
      } else {
        #expect(timers.pop()?.time.microseconds == model.min())
        if let least = model.min(), let index = model.firstIndex(of: least) { model.remove(at: index) }
      }
      #expect(timers.soonest.microseconds == model.min() ?? .max)
    }
    var drained: [Int64] = []
    while let row = timers.pop() { drained.append(row.time.microseconds) }
    #expect(drained == model.sorted())
  }
}
