internal import Credits
internal import CreditsTesting
internal import Synchronization

/// A payment provider that notes when each charge first came, loses some of its answers, and takes its time.
final class Till: PaymentGateway {
  private let sentCharges = Mutex<[History.ChargeName: UInt64]>([:])
  private let script: ScriptedGateway

  init(seed: UInt64) {
    script = ScriptedGateway(script: { (_, call) in
      var dice = SplitMix64(seed: seed &+ UInt64(call))
      let roll = dice.next() % 200
      if roll == 0 { return .chargeAndFail }
      return roll < 60 ? .chargeAndDelay(.microseconds(Int64(20 * roll))) : .succeed
    })
  }

  var keyMemory: Duration { script.keyMemory }

  /// When each charge first came.
  var sent: [History.ChargeName: UInt64] { sentCharges.withLock { $0 } }

  /// What is wrong with the charges: keys that were charged twice.
  var findings: [String] { script.chargedTwice.map { "the key \($0) was charged twice" } }

  /// The charges that were paid.
  var paid: Int { script.taken.count }

  func charge(_ order: ChargeOrder) async throws -> ChargeOutcome {
    let name = History.ChargeName(account: Plan.account(order.account), number: order.charge.number)
    let moment = Lane.moment
    sentCharges.withLock { if $0[name] == nil { $0[name] = moment } }
    return try await script.charge(order)
  }

  func lookUp(_ order: ChargeOrder) async throws -> ChargeOutcome { try await script.lookUp(order) }
}
