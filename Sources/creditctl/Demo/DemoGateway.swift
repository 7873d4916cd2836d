import Credits
import CreditsTesting

/// The payment provider of the demonstration: scripted, so that the same seed has the same failures; nobody is charged.
final class DemoGateway: Sendable {
  /// A notice that the provider sends by itself.
  struct Notice: Sendable {
    let key: String
    let outcome: ChargeOutcome
  }

  let scripted: ScriptedGateway
  private let waiting: Notices

  /// The notices that wait to be delivered.
  private final class Notices: Sendable {
    let list = Locked<[Notice]>([])
  }

  init(seed: UInt64) {
    let notices = Notices()
    waiting = notices
    scripted = ScriptedGateway(
      notify: { key, outcome in notices.list.withLock { $0.append(Notice(key: key, outcome: outcome)) } },
      script: { order, _ in DemoGateway.act(order, seed) })
  }

  /// Takes the notices that have come.
  func notices() -> [Notice] {
    waiting.list.withLock { list in
      defer { list = [] }
      return list
    }
  }

  /// What happens on a call: by the card, and by chance that the seed decides.
  private static func act(_ order: ChargeOrder, _ seed: UInt64) -> ScriptedGateway.Act {
    let charge = order.charge
    let number = UInt64(charge.number) << 32 | UInt64(charge.attempts)
    let chance = Mixer.mix(Mixer.mix(seed ^ order.account.low) ^ number) % 100
    if order.method.token.hasPrefix("tok_weak") { return .decline("insufficient funds") }
    if order.method.token.hasPrefix("tok_careful") { return .needAction("bank.example/confirm") }
    switch chance {
    case ..<5: return .fail
    case ..<10: return .chargeAndFail
    case ..<25: return .process
    case ..<29: return .decline("do not honour")
    default: return .succeed
    }
  }
}
