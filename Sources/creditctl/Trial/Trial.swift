import ArgumentParser
import Credits
import CreditsTesting

/// What the scripted payment provider of this program answers.
enum TrialOutcome: String, ExpressibleByArgument, CaseIterable {
  case succeed
  case decline
  case needAction = "need-action"
  case unknown

  /// What happens when the card is to be charged.
  var act: ScriptedGateway.Act {
    switch self {
    case .succeed: .succeed
    case .decline: .decline("card declined, as this trial was told to")
    case .needAction: .needAction("https://bank.example/confirm")
    case .unknown: .mumble
    }
  }
}

/// A charge that is driven on without a real payment provider.
struct Trial {
  let store: CreditStore
  let account: AccountID
  let number: UInt32

  /// Sends the charge, if it is due, to a scripted provider; an open one gets the outcome as a notice of the provider.
  func drive(to outcome: TrialOutcome) async throws -> ChargeProgress? {
    guard case .open(let charge)? = try await store.progress(ofCharge: number, of: account) else {
      return try await store.progress(ofCharge: number, of: account)
    }
    if charge.status == .due {
      let scripted = ScriptedGateway(script: { _, _ in outcome.act })
      // This charge and no other: what else is open in the store is for the real provider.
      try await RefillWorker(store: store, gateway: scripted).work(onCharge: number, of: account)
    } else if let notice = notice(outcome, charge), let key = try await store.key(ofCharge: number, of: account) {
      try await store.report(notice, ofChargeWithKey: key)
    }
    return try await store.progress(ofCharge: number, of: account)
  }

  private func notice(_ outcome: TrialOutcome, _ charge: Charge) -> ChargeOutcome? {
    switch outcome {
    case .succeed: .succeeded(reference: "trial-\(number)", price: charge.price)
    case .decline: .declined(reason: "card declined, as this trial was told to")
    case .needAction: .needsAction(link: "https://bank.example/confirm")
    case .unknown: nil
    }
  }
}
