import CreditsTesting
import Testing

/// Simulated histories; `make simulate` runs many more.
@Suite("Simulation")
struct SimulationTests {
  @Test("Histories with crashes, failing commits and a failing provider break no promise", arguments: 1...8)
  func histories(seed: Int) {
    let history = Simulator().run(seed: UInt64(seed), steps: 3_000)
    #expect(history.finding == nil)
    #expect(history.steps == 3_000)
    #expect(history.counts.requests > 300 && history.counts.commits > 100 && history.counts.entries > 300)
  }

  @Test("A batch that waits for room in memory decides a request that leaves no trace only then")
  func waitingForMemory() {
    let history = Simulator().run(seed: 128_285_738_419_953, steps: 6_400)
    #expect(history.finding == nil)
    #expect(history.steps == 6_400)
  }

  @Test("The same seed gives the same history")
  func determinism() {
    for seed in UInt64(20)..<24 {
      let (first, second) = (Simulator().run(seed: seed, steps: 2_000), Simulator().run(seed: seed, steps: 2_000))
      #expect(first == second)
      #expect(first.digest != Simulator().run(seed: seed + 100, steps: 2_000).digest)
    }
  }

  @Test("What is made wrong is found, and its history made short", arguments: Simulator.Control.allCases)
  func controls(control: Simulator.Control) throws {
    let simulator = Simulator(control: control)
    var found: (seed: UInt64, finding: Simulator.Finding)?
    for seed in UInt64(40)..<140 where found == nil {
      found = simulator.run(seed: seed, steps: 4_000).finding.map { (seed, $0) }
    }
    let (seed, finding) = try #require(found)
    let kept = simulator.shrink(seed: seed, steps: 4_000, finding, tries: 400).kept
    #expect(kept.count < 60)
    let again = simulator.run(seed: seed, steps: 4_000, keeping: kept).history
    #expect(again.finding?.kind == finding.kind)
  }
}
