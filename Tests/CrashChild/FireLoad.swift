import CrashSupport
import Credits
import CreditsTesting

/// Hundreds of callers that spend, hold, buy and change their minds, a worker that charges their cards, and a provider
/// that does everything wrong that a provider may do.
///
/// What a caller does as its step number so and so follows from the seed, the round, the caller and that number alone,
/// so that the next process can ask for the same again.
struct FireLoad: Sendable {
  let store: CreditStore
  let gateway: ScriptedGateway
  let clock: StoreClock.Manual
  let accounts: Int
  let seed: UInt64
  let round: Int

  /// The number of callers.
  static let callers = 200

  /// What the provider does on a call.
  static func act(_ seed: UInt64, _ call: Int) -> ScriptedGateway.Act {
    var dice = Dice(seed &+ UInt64(call) &* 7_919)
    switch dice.roll(1...100) {
    case 1...45: return .succeed
    case 46...56: return .chargeAndFail
    case 57...64: return .chargeAndDelay(.milliseconds(dice.roll(2...90)))
    case 65...73: return .fail
    case 74...78: return .hang(.milliseconds(dice.roll(2...90)))
    case 79...87: return .decline("card declined")
    case 88...91: return .needAction("https://bank.example/3ds")
    case 92...95: return .process
    default: return .mumble
    }
  }

  /// Works until the process is killed.
  ///
  /// - Parameter last: The last step of the round before that is known to have been answered.
  func run(after last: Int) async throws(StoreError) {
    try await store.publish(Fire.prices(round: round))
    try await store.addConsumer(Fire.consumer)
    let worker = RefillWorker(
      store: store, gateway: gateway, concurrency: 128, timeout: .milliseconds(40), interval: .milliseconds(20))
    await withTaskGroup { group in
      // The callers come last, or nobody else would get on in a process that has two threads for them all.
      group.addTask(priority: .high) {
        do { try await worker.run() } catch { Output.fail("the worker: \(error)") }
        Output.fail("the worker has ended")
      }
      group.addTask(priority: .high) { await passTime() }
      group.addTask(priority: .high) { await settlePending() }
      group.addTask(priority: .high) { await consume() }
      for caller in 1...FireLoad.callers {
        group.addTask(priority: .low) {
          for number in max(1, last - 3)...max(1, last) where last > 0 {
            await step(round: round - 1, caller, number)
          }
          for number in 1 ... .max { await step(round: round, caller, number) }
        }
      }
    }
  }

  /// Moves the clock on, and tells the parent once the provider was called often enough, or the round's time is over.
  private func passTime() async {
    let end = Fire.beginning(of: round + 1)
    var dice = Dice(seed &+ UInt64(round))
    let enough = dice.roll(0...300)
    var isTold = false
    while clock.now + .seconds(300) < end {
      if !isTold, gateway.calls >= enough {
        Output.step("working")
        isTold = true
      }
      clock.advance(by: .seconds(120))
      do throws(StoreError) { try await store.tick() } catch { Output.fail("tick: \(error)") }
      try? await Task.sleep(for: .milliseconds(4))
    }
    if !isTold { Output.step("working") }
  }

  /// What customers and banks do with what waits for them.
  private func settlePending() async {
    while true {
      for key in gateway.pending {
        var dice = Dice(seed &+ UInt64(truncatingIfNeeded: key.utf8.reduce(0) { $0 &* 31 &+ Int($1) }))
        if dice.roll(1...10) <= 7 { gateway.settle(key) } else { gateway.refuse(key) }
        try? await Task.sleep(for: .milliseconds(1))
      }
      try? await Task.sleep(for: .milliseconds(10))
    }
  }

  private func consume() async {
    do throws(StoreError) {
      for try await event in store.events(for: Fire.consumer) {
        Output.step("event \(event.sequence.value)")
        if event.sequence.value % 16 == 0 { try await store.acknowledge(event.sequence, by: Fire.consumer) }
      }
    } catch { Output.fail("the feed: \(error)") }
  }

  // MARK: Steps

  private func step(round: Int, _ caller: Int, _ number: Int) async {
    var dice = Dice(seed &+ UInt64(round) &* 1_000_003 &+ UInt64(caller) &* 10_007 &+ UInt64(number) &* 101)
    let account = UInt64(dice.roll(1...accounts))
    let key = Operation.Key(
      account: account, request: RequestID(high: UInt64(round) << 32 | UInt64(caller), low: UInt64(number)))
    let (id, request) = (AccountID(account), key.request)
    func credits(_ range: ClosedRange<Int>) -> Amount { Amount(millionths: Int64(dice.roll(range)) * 250_000) }
    switch dice.roll(1...100) {
    case 1...38:
      let usage = Usage("chat", model: dice.roll(1...3) == 1 ? "large" : nil, units: UInt64(dice.roll(500...15_000)))
      await told(key) { () throws(StoreError) in Reply(try await store.debit(for: usage, from: id, request: request)) }
    case 39...50:
      let amount = credits(4...80)
      await told(key) { () throws(StoreError) in Reply(try await store.debit(amount, from: id, request: request)) }
    case 51...56:
      var batch: [Debit] = []
      for _ in 0..<dice.roll(5...20) {
        batch.append(Debit(credits(4...80), from: AccountID(UInt64(dice.roll(1...accounts))), request: request))
      }
      await debit(batch)
    case 57...74: await hold(credits(20...100), key, &dice)
    case 75...80:
      let offer = Offer.credits(Amount(millionths: Int64(dice.roll(1...4)) * Fire.pack.credits.millionths))
      let card = numbered(Fire.card(account, 1), 1)
      await told(key) { () throws(StoreError) in
        Reply(try await store.purchase(offer, for: id, with: card, request: request).receipt)
      }
    case 81:
      await told(key) { () throws(StoreError) in Reply(try await store.setAutoRefill(.off, for: id, request: request)) }
    case 82...87:
      let number = UInt32(dice.roll(1...2))
      let refill = Fire.refill(of: account, with: numbered(Fire.card(account, number), number))
      await told(key) { () throws(StoreError) in
        Reply(try await store.setAutoRefill(refill, for: id, request: request))
      }
    case 88:
      let card = Fire.card(account, UInt32(dice.roll(2...9)))
      await told(key) { () throws(StoreError) in
        _ = try await store.savePaymentMethod(card, for: id, request: request)
        return nil
      }
    case 89:
      let card = numbered(Fire.card(account, 2), UInt32(dice.roll(2...4)))
      await told(key) { () throws(StoreError) in
        Reply(try await store.removePaymentMethod(card, of: id, request: request))
      }
    case 90...92:
      await told(key) { () throws(StoreError) in Reply(try await store.resumeAutoRefill(for: id, request: request)) }
    case 93: await told(key) { () throws(StoreError) in Reply(try await store.freeze(id, request: request)) }
    case 94...95: await told(key) { () throws(StoreError) in Reply(try await store.unfreeze(id, request: request)) }
    case 96:
      let charge = UInt32(dice.roll(1...5))
      await told(key) { () throws(StoreError) in
        Reply(try await store.dispute(charge: charge, of: id, reason: "not mine", request: request))
      }
    case 97:
      await told(key) { () throws(StoreError) in
        Reply(try await store.subscribe(id, to: Fire.plan(of: account), request: request))
      }
    default:
      // The end follows from the round, so that a repetition asks for the same.
      let (amount, expires) = (credits(10...80), Fire.beginning(of: round) + .seconds(dice.roll(600...40_000)))
      await told(key) { () throws(StoreError) in
        Reply(try await store.grant(amount, to: id, source: .promotion("fire"), expires: expires, request: request))
      }
    }
  }

  private func debit(_ batch: [Debit]) async {
    do throws(StoreError) {
      let outcomes = try await store.debit(batch)
      Output.write(
        zip(batch, outcomes).map { .answered(Operation.Key(account: $0.account.low, request: $0.request), Reply($1)) })
    } catch { Output.fail("a batch: \(error)") }
  }

  private func hold(_ amount: Amount, _ key: Operation.Key, _ dice: inout Dice) async {
    let id = AccountID(key.account)
    let duration = Duration.seconds(dice.roll(60...7_200))
    let end: Hold.End = dice.roll(1...4) == 1 ? .capture : .release
    let (way, part) = (dice.roll(1...10), Int64(dice.roll(1...99)))
    var isHeld = false
    await told(key.of(.hold)) { () throws(StoreError) in
      _ = try await store.hold(amount, on: id, for: duration, atDeadline: end, request: key.request)
      isHeld = true
      return nil
    }
    guard isHeld else { return }
    switch way {
    case 1...3:
      let less = Amount(millionths: amount.millionths * part / 100)
      await told(key.of(.end)) { () throws(StoreError) in
        Reply(try await store.capture(key.request, on: id, amount: less).receipt)
      }
    case 4...5:
      await told(key.of(.end)) { () throws(StoreError) in Reply(try await store.capture(key.request, on: id).receipt) }
    case 6:
      await told(key.of(.end)) { () throws(StoreError) in
        Reply(try await store.capture(key.request, on: id, amount: amount + Amount(millionths: part * 100_000)).receipt)
      }
    case 7...8:
      await told(key.of(.end)) { () throws(StoreError) in Reply(try await store.release(key.request, on: id).receipt) }
    default: break
    }
  }

  /// Tells what came of a request; one that names no entry was done, or was declined without a trace.
  private func told(_ key: Operation.Key, _ body: () async throws(StoreError) -> Reply?) async {
    do throws(StoreError) {
      let reply = try await body()
      Output.write([.answered(key, reply ?? Reply(code: 0, sequence: 0, amount: 0, balance: 0, time: 0))])
    } catch {
      guard case .denied(let denial) = error else { Output.fail("\(key): \(error)") }
      if case .conflict = denial.reason { Output.fail("\(key): \(denial)") }
      Output.write([.answered(key, Reply(.denied(denial)))])
    }
  }

  private func numbered(_ card: PaymentMethod, _ number: UInt32) -> PaymentMethod {
    var card = card
    card.number = number
    return card
  }
}
