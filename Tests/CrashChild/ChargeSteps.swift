import CrashSupport
import Credits
import CreditsTesting
import Glibc

/// One charge, up to the step at which the process kills itself.
struct ChargeSteps: Sendable {
  let path: String
  let cause: ChargeCause
  let last: ChargeStep

  func run() async throws(StoreError) {
    let clock = StoreClock.Manual(Fire.start)
    let store = try CreditStore.open(at: path, settings: Fire.settings(clock, round: 0))
    let account = AccountID(1)
    try await store.open(account)
    try await store.grant(60, to: account, source: .promotion("welcome"), request: "welcome")
    let card = try await store.savePaymentMethod(Fire.card(1, 1), for: account, request: "card")
    if cause == .refill {
      try await store.setAutoRefill(Fire.refill(of: 1, with: card), for: account, request: "refill")
    }
    try await intend(store, account, card)
    if last == .intended { die() }
    let gateway = ScriptedGateway(
      clock: clock, memory: path + ".gateway",
      reach: { point, _ in
        switch (point, last) {
        case (.called, .called), (.charged, .charged), (.answered, .answered): die()
        default: break
        }
      },
      script: { _, _ in last == .lost ? .chargeAndFail : .succeed })
    try await RefillWorker(store: store, gateway: gateway).work()
    // Where the process is to die beside its own booking, it may come to here first.
    if last == .answered { while true { try? await Task.sleep(for: .seconds(1)) } }
    die()
  }

  private func intend(_ store: CreditStore, _ account: AccountID, _ card: PaymentMethod) async throws(StoreError) {
    switch cause {
    case .refill:
      _ = try await store.debit(
        20, from: account, request: "debit", acknowledge: last == .decided ? .applied : .durable)
      if last == .decided { die() }
    case .purchase:
      let purchase = Task {
        do throws(StoreError) {
          _ = try await store.purchase(.credits(Fire.pack.credits), for: account, with: card, request: "purchase")
        } catch { Output.fail("the purchase: \(error)") }
      }
      if last == .decided {
        while try store.account(account)?.charges.isEmpty != false { await Task.yield() }
        die()
      }
      await purchase.value
    }
  }

  private func die() -> Never {
    kill(getpid(), SIGKILL)
    while true { pause() }
  }
}
