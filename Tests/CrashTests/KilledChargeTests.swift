import CrashSupport
import Credits
import CreditsTesting
import Glibc
import Testing

@Suite("A process that is killed between the steps of a charge")
struct KilledChargeTests {
  @Test(
    "30, 31: leaves a charge that ends with the right money, whether the provider still remembers its key or not",
    arguments: ChargeCause.allCases, ChargeStep.allCases)
  func step(cause: ChargeCause, last: ChargeStep) async throws {
    // The next process comes at once, when the charge is to be asked for again, or when the key is long forgotten.
    for delay in [Duration.zero, .seconds(3_600), .seconds(3 * 86_400)] {
      let folder = Folder()
      let path = folder.path("store")
      let ending = await blocking {
        Child(["charge", path, "\(cause.rawValue)", "\(last.rawValue)"]).end(after: "", kill: nil)
      }
      #expect(ending.signal == SIGKILL)
      #expect(ending.lines.isEmpty)
      let clock = StoreClock.Manual(Fire.start + delay)
      let store = try CreditStore.open(at: path, settings: Fire.settings(clock, round: 0))
      let gateway = ScriptedGateway(clock: clock, memory: path + ".gateway")
      try expect(cause, last, store, gateway)
      try await settle(store, gateway, clock)
      try await store.close()
    }
  }

  private static let account = AccountID(1)

  /// Looks at the store and the provider as the killed process left them.
  private func expect(
    _ cause: ChargeCause, _ last: ChargeStep, _ store: CreditStore, _ gateway: ScriptedGateway
  ) throws {
    let account = try #require(try store.account(KilledChargeTests.account))
    let (statuses, isPaid) = (account.charges.map(\.status), !gateway.taken.isEmpty)
    switch last {
    case .decided:
      #expect(statuses.isEmpty || statuses == [.due])
      #expect(!isPaid)
      if cause == .refill { #expect(account.balance.available == (statuses.isEmpty ? 60 : 40)) }
    case .intended:
      #expect(statuses == [.due])
      #expect(!isPaid)
    case .called:
      #expect(statuses == [.charging])
      #expect(!isPaid)
    case .charged:
      #expect(statuses == [.charging])
      #expect(isPaid)
    case .answered:
      #expect(statuses == [.charging] || statuses.isEmpty)
      #expect(isPaid)
    case .lost:
      #expect(statuses == [.unknown])
      #expect(isPaid)
    case .booked:
      #expect(statuses.isEmpty)
      #expect(isPaid)
    }
  }

  /// Lets a worker bring the charge to its end, and compares the credits with the card.
  private func settle(_ store: CreditStore, _ gateway: ScriptedGateway, _ clock: StoreClock.Manual) async throws {
    let worker = RefillWorker(store: store, gateway: gateway)
    for _ in 1...10 {
      try await worker.work()
      if try store.account(KilledChargeTests.account)?.charges.isEmpty == true { break }
      clock.advance(by: .seconds(60))
    }
    let account = try #require(try store.account(KilledChargeTests.account))
    #expect(account.charges.isEmpty)
    #expect(gateway.chargedTwice.isEmpty)
    #expect(gateway.taken.count <= 1)
    var credited: [Money] = []
    var spent = Amount.zero
    try store.forEachEntry { (entry) throws(StoreError) in
      if entry.kind == .credited { credited.append(entry.money ?? Money(0, .usd)) }
      if entry.kind == .debited { spent += entry.amount }
      return true
    }
    #expect(credited == gateway.taken.map(\.money))
    #expect(account.balance.available == 60 - spent + (credited.isEmpty ? 0 : Fire.pack.credits))
    if spent > 0 { #expect(account.balance.available >= Fire.threshold) }
    let problem = try await store.verify().problem
    #expect(problem == nil)
  }
}
