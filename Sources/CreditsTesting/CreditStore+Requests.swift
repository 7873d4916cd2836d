internal import Credits

extension CreditStore {
  /// Does what a request says.
  func answer(
    _ request: ReferenceRequest, _ acknowledge: Acknowledgement, quotes: [Quote]
  ) async throws(StoreError) -> ReferenceAnswer {
    let (account, id) = (request.account, request.request)
    do throws(StoreError) {
      switch request.verb {
      case .open(let label): return done(try await open(account, label: label))
      case .grant(let amount, let source, let priority, let starts, let expires):
        return done(
          try await grant(
            amount, to: account, source: source, priority: priority, starts: starts, expires: expires, request: id,
            acknowledge: acknowledge))
      case .debit(let amount, let extent):
        return .outcome(
          try await debit(amount, from: account, request: id, extent: extent, acknowledge: acknowledge))
      case .use(let usage):
        return .outcome(try await debit(for: usage, from: account, request: id, acknowledge: acknowledge))
      case .quoted(_, let number):
        return .outcome(
          try await debit(quotes[number], from: account, request: id, acknowledge: acknowledge))
      case .freeze(let reason): return done(try await freeze(account, reason: reason, request: id))
      case .unfreeze(let reason): return done(try await unfreeze(account, reason: reason, request: id))
      case .close(let reason): return done(try await close(account, reason: reason, request: id))
      case .hold(let amount, let duration, let end):
        return .held(
          try await hold(
            amount, on: account, for: duration, atDeadline: end, request: id, acknowledge: acknowledge))
      case .holdFor(let usage, let duration, let end):
        return .held(
          try await hold(
            for: usage, on: account, lasting: duration, atDeadline: end, request: id, acknowledge: acknowledge))
      case .capture(let amount):
        return .ended(try await capture(id, on: account, amount: amount, acknowledge: acknowledge))
      case .release: return .ended(try await release(id, on: account, acknowledge: acknowledge))
      case .subscribe(let plan, let anchor):
        return done(try await subscribe(account, to: plan, anchor: anchor, request: id))
      case .unsubscribe(let atOnce):
        return done(try await unsubscribe(account, atOnce: atOnce, request: id))
      case .setAlerts(let levels): return done(try await setAlerts(levels, for: account, request: id))
      case .correct(let debit, let amount, let reason, let agent):
        return done(
          try await correct(debit, of: account, by: amount, reason: reason, agent: agent, request: id))
      default: return try await pay(request)
      }
    } catch {
      if case .invalidArgument = error { return .notSold }
      guard case .denied(let denial) = error else { throw error }
      return .outcome(.denied(denial))
    }
  }

  private func pay(_ request: ReferenceRequest) async throws(StoreError) -> ReferenceAnswer {
    let (account, id) = (request.account, request.request)
    switch request.verb {
    case .saveMethod(let method, let forRefill):
      return .saved(try await savePaymentMethod(method, for: account, forRefill: forRefill, request: id))
    case .removeMethod(let method):
      return done(try await removePaymentMethod(method, of: account, request: id))
    case .setRefill(let setting): return done(try await setAutoRefill(setting, for: account, request: id))
    case .resumeRefill(let reason):
      return done(try await resumeAutoRefill(for: account, reason: reason, request: id))
    case .purchase(let offer, let method):
      let purchase = try await purchase(offer, for: account, with: method, request: id)
      return .ordered(purchase.receipt, number: purchase.number, purchase.pack)
    case .dispute(let number, let reason):
      return done(try await dispute(charge: number, of: account, reason: reason, request: id))
    default: preconditionFailure("\(request) is not about payment")
    }
  }

  private func done(_ receipt: Receipt) -> ReferenceAnswer { .outcome(.debited(receipt)) }
}
