import Credits
import Testing

@testable import creditctl

@Suite("The plan of a replay")
struct ReplayPlanTests {
  private func plan(_ run: String) -> ReplayPlan {
    ReplayPlan(run: run, accounts: 100, repeats: 1, callers: 4)
  }

  @Test("names a request the same way in every run of its name, and differently for every line and name")
  func requests() {
    let ordinals: [UInt64] = [0, 1, 2, 1_000_000, 1 << 40]
    #expect(ordinals.map(plan("a").request) == ordinals.map(plan("a").request))
    #expect(Set(ordinals.map(plan("a").request) + ordinals.map(plan("b").request)).count == 10)
    #expect(ordinals.map(plan("a").request).allSatisfy { $0.time == nil })
  }

  @Test("spreads lines evenly over all accounts")
  func spread() {
    let plan = plan("a")
    var counts = [Int](repeating: 0, count: 100)
    for ordinal: UInt64 in 0..<100_000 { counts[plan.account(of: ordinal)] += 1 }
    #expect(counts.allSatisfy { (850...1_150).contains($0) })
  }

  @Test("names its accounts replay-000001 and so on")
  func labels() {
    #expect(ReplayPlan.label(1) == "replay-000001")
    #expect(ReplayPlan.label(1_234_567) == "replay-1234567")
    #expect(plan("a").accounts.first == "replay-000001")
  }
}

@Suite("The usage generator")
struct UsageGeneratorTests {
  @Test("makes the same lines for the same seed: the log that is shipped is its own")
  func shipped() {
    let sample =
      #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
      + "/Benchmarks/Samples/usage.csv"
    var generator = UsageGenerator(seed: 1, start: Timestamp(seconds: 1_767_603_600))
    var text = UsageGenerator.Line.csvHeader + "\n"
    for _ in 0..<5_000 { text += generator.next().csv + "\n" }
    #expect(TemporaryFolder.text(sample) == text)
  }

  @Test("makes times that only rise, and numbers above zero")
  func plausible() {
    var generator = UsageGenerator(seed: 7, start: .zero)
    let lines = (0..<10_000).map { _ in generator.next() }
    #expect(zip(lines, lines.dropFirst()).allSatisfy { $0.ticks < $1.ticks })
    #expect(lines.allSatisfy { $0.context > 0 && $0.generated > 0 && $0.context < 10_000 && $0.generated < 2_000 })
  }
}
