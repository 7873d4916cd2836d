import Credits
import CreditsTesting
import Glibc
import Testing

/// The number of random steps in all, shared out among the cases: `CREDITS_ORACLE_STEPS`, or 1,000,000.
private let totalSteps: Int = {
  guard let value = unsafe getenv("CREDITS_ORACLE_STEPS") else { return 1_000_000 }
  return Int(unsafe String(cString: value)) ?? 1_000_000
}()

// Many runs of some thousand steps: the longer the journal, the longer everything takes that reads it.
private let casesPerKind = 80

@Suite("The store against the oracle")
struct OracleTests {
  @Test(
    "G1, G2, G4, G5, G6, G8: few busy accounts agree with the reference ledger after every step",
    arguments: 0..<casesPerKind)
  func busyAccounts(_ seed: Int) async throws {
    let run = try OracleRun(seed: UInt64(seed))
    try await run.run(steps: totalSteps / (2 * casesPerKind))
    #expect(run.reopenings > 0)
  }

  @Test("a run leaves no kind of entry out, and keeps the payment provider busy")
  func everyKind() async throws {
    let run = try OracleRun(seed: 2_000)
    try await run.run(steps: 8_000)
    #expect(JournalEntry.Kind.allCases.filter { run.kinds[$0, default: 0] == 0 } == [])
    #expect(run.calls > 100)
  }

  @Test(
    "G9: thousands of accounts in little memory agree with the reference ledger after every step",
    arguments: 0..<casesPerKind)
  func coldAccounts(_ seed: Int) async throws {
    var configuration = OracleRun.Configuration()
    configuration.accounts = 4_000
    let run = try OracleRun(seed: 1_000 + UInt64(seed), configuration)
    try await run.run(steps: totalSteps / (2 * casesPerKind))
    #expect(run.reopenings > 0)
  }
}
