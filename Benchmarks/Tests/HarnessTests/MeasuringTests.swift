import Harness
import Testing

@Suite("Measuring")
struct MeasuringTests {
  @Test("histograms that are added have the percentiles of all their values together")
  func merging() throws {
    let (low, high, all, sum) = (Latencies(), Latencies(), Latencies(), Latencies())
    let (few, many) = ((1...900).map { Int64($0) * 1_000 }, (901...1_000).map { Int64($0) * 1_000 })
    low.record(few)
    high.record(many)
    all.record(few + many)
    sum.add(low)
    sum.add(high)
    #expect(sum.count == 1_000)
    #expect(sum.percentiles == all.percentiles)
    let percentiles = try #require(sum.percentiles)
    #expect(abs(percentiles.p50 - 500) < 1)
    #expect(abs(percentiles.p90 - 900) < 2)
    #expect(abs(percentiles.p999 - 999) < 2)
    #expect(abs(percentiles.longest - 1_000) < 2)
  }

  @Test("values out of range are kept at its ends, and an empty histogram has no percentiles")
  func range() throws {
    let latencies = Latencies()
    #expect(latencies.percentiles == nil)
    latencies.record([-5, 0, .max])
    #expect(latencies.count == 3)
    #expect(latencies.nanoseconds(1) == 1)
    #expect(latencies.nanoseconds(100) >= 599e9)
  }

  @Test("calls of an open loop are due at equal distances from the start, whatever their number")
  func schedule() {
    let start = ContinuousClock.now
    let schedule = Schedule(start: start, rate: 3)
    #expect(schedule.instant(of: 0) == start)
    #expect((schedule.instant(of: 3) - start - .seconds(1)).nanoseconds.magnitude <= 1)
    #expect((schedule.instant(of: 1) - start).nanoseconds == 333_333_333)
    #expect(schedule.calls(within: 10) == 30)
    // A million calls a second for a day: rounding does not pile up.
    let fast = Schedule(start: start, rate: 1_000_000)
    #expect(
      (fast.instant(of: 86_400_000_001) - start - .seconds(86_400) - .microseconds(1)).nanoseconds.magnitude < 100)
  }

  @Test("a pacer hands out every call once, none before it is due")
  func pacer() async throws {
    let schedule = Schedule(start: .now + .milliseconds(5), rate: 20_000)
    let pacer = Pacer(schedule, calls: 1_000)
    let calls = await withTaskGroup(of: [Int].self) { group in
      for _ in 0..<64 {
        group.addTask {
          var calls: [Int] = []
          while let call = await pacer.next() {
            #expect(ContinuousClock.now >= schedule.instant(of: call))
            calls.append(call)
          }
          return calls
        }
      }
      return await group.reduce(into: []) { $0 += $1 }
    }
    pacer.end()
    #expect(calls.sorted() == Array(0..<1_000))
    // Only calls that had waited in line count; on a busy machine all may be late already.
    #expect(pacer.lateness.count <= 1_000)
  }

  @Test("a pacer that is ended lets those in line go on")
  func endOfPacer() async {
    let pacer = Pacer(Schedule(start: .now + .seconds(3_600), rate: 1), calls: 10)
    async let call = pacer.next()
    pacer.end()
    #expect(await call == 0)
  }

  private func run(_ rate: Int, others: Double) -> Run {
    Run(debits: rate, seconds: 1, ownSeconds: 0.5, otherSeconds: others / 100, bytes: rate * 90)
  }

  @Test("a disturbed run is repeated, and an undisturbed one takes its place")
  func repetition() async throws {
    var others: [Double] = [3, 80, 4, 5, 90]
    let repetition = Repetition(runs: 3, othersPercent: 15, spare: 2)
    let runs = try await repetition.measure { run(100, others: others.removeFirst()) }
    #expect(runs.kept.count == 3)
    #expect(!runs.isDisturbed)
    #expect(runs.repeated == 1)
    #expect(others == [90])
    #expect(runs.othersPercent.max() == 5)
  }

  @Test("when the spare runs are used up, the least disturbed ones stay and are marked")
  func disturbed() async throws {
    var others: [Double] = [50, 40, 30, 20]
    let repetition = Repetition(runs: 2, othersPercent: 15, spare: 2)
    let runs = try await repetition.measure { run(100, others: others.removeFirst()) }
    #expect(runs.isDisturbed)
    #expect(runs.othersPercent.map { $0.rounded() } == [20, 30])
    #expect(runs.repeated == 2)
  }

  @Test("a spread has the median, the least and the most")
  func spread() {
    let spread = Spread([3, 1, 2])
    #expect(spread.median == 2 && spread.least == 1 && spread.most == 3)
    #expect(spread.range == "1.00 to 3.00")
    #expect(Spread([5]).range == "")
    #expect(Spread([]).median.isNaN)
  }

  @Test("a meter sees the processor time of its own process, and memory")
  func meter() {
    let meter = Meter(folder: "/tmp", isSynced: false)
    var dice = Dice(1)
    var sum: UInt64 = 0
    let end = ContinuousClock.now + .milliseconds(50)
    while ContinuousClock.now < end { sum &+= dice.next() }
    let run = meter.end(debits: Int(sum & 1) + 1)
    #expect(run.ownSeconds > 0.01)
    #expect(run.seconds >= 0.05)
    #expect(run.memory > 1_000_000)
    #expect(run.bytes == nil)
  }

  @Test("a walk through memory that does not fit into caches is slower than one that does")
  func memory() {
    let small = Limits.dependentAccesses(tableBytes: 8 << 10, seconds: 0.05)
    let large = Limits.dependentAccesses(tableBytes: 64 << 20, seconds: 0.05)
    #expect(small > 0)
    #expect(large > 2 * small)
  }
}
