internal import Credits

extension OracleRun {
  /// Does in the store what a request says.
  func answer(_ request: ReferenceRequest, _ acknowledge: Acknowledgement) async throws -> ReferenceAnswer {
    let (account, id) = (request.account, request.request)
    do throws(StoreError) {
      switch request.verb {
      case .open(let label): return done(try await store.open(account, label: label))
      case .grant(let amount, let source, let priority, let starts, let expires):
        return done(
          try await store.grant(
            amount, to: account, source: source, priority: priority, starts: starts, expires: expires, request: id,
            acknowledge: acknowledge))
      case .debit(let amount, let extent):
        return .outcome(
          try await store.debit(amount, from: account, request: id, extent: extent, acknowledge: acknowledge))
      case .use(let usage):
        return .outcome(try await store.debit(for: usage, from: account, request: id, acknowledge: acknowledge))
      case .quoted(_, let number):
        return .outcome(
          try await store.debit(quotes[number], from: account, request: id, acknowledge: acknowledge))
      case .freeze(let reason): return done(try await store.freeze(account, reason: reason, request: id))
      case .unfreeze(let reason): return done(try await store.unfreeze(account, reason: reason, request: id))
      case .close(let reason): return done(try await store.close(account, reason: reason, request: id))
      case .hold(let amount, let duration, let end):
        return .held(
          try await store.hold(
            amount, on: account, for: duration, atDeadline: end, request: id, acknowledge: acknowledge))
      case .holdFor(let usage, let duration, let end):
        return .held(
          try await store.hold(
            for: usage, on: account, lasting: duration, atDeadline: end, request: id, acknowledge: acknowledge))
      case .capture(let amount):
        return .ended(try await store.capture(id, on: account, amount: amount, acknowledge: acknowledge))
      case .release: return .ended(try await store.release(id, on: account, acknowledge: acknowledge))
      case .subscribe(let plan, let anchor):
        return done(try await store.subscribe(account, to: plan, anchor: anchor, request: id))
      case .unsubscribe(let atOnce):
        return done(try await store.unsubscribe(account, atOnce: atOnce, request: id))
      case .setAlerts(let levels): return done(try await store.setAlerts(levels, for: account, request: id))
      case .correct(let debit, let amount, let reason, let agent):
        return done(
          try await store.correct(debit, of: account, by: amount, reason: reason, agent: agent, request: id))
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
      return .saved(try await store.savePaymentMethod(method, for: account, forRefill: forRefill, request: id))
    case .removeMethod(let method):
      return done(try await store.removePaymentMethod(method, of: account, request: id))
    case .setRefill(let setting): return done(try await store.setAutoRefill(setting, for: account, request: id))
    case .resumeRefill(let reason):
      return done(try await store.resumeAutoRefill(for: account, reason: reason, request: id))
    case .purchase(let offer, let method):
      let purchase = try await store.purchase(offer, for: account, with: method, request: id)
      return .ordered(purchase.receipt, number: purchase.number, purchase.pack)
    case .dispute(let number, let reason):
      return done(try await store.dispute(charge: number, of: account, reason: reason, request: id))
    default: preconditionFailure("\(request) is not about payment")
    }
  }

  private func done(_ receipt: Receipt) -> ReferenceAnswer { .outcome(.debited(receipt)) }

  /// Asks for a quote and keeps it.
  func quote(_ usage: Usage) async throws {
    let expected = ledger.prices.price(usage, at: ledger.now)
    let quote: Quote
    do throws(StoreError) { quote = try store.quote(for: usage) } catch {
      guard case .denied(let denial) = error, case .failure(let refusal) = expected, denial.reason == refusal.reason,
        denial.sequence == nil, denial.time == ledger.now
      else { throw Difference(reason: "\(usage) gave \(error), expected \(expected)") }
      return
    }
    guard case .success(let expected) = expected else {
      throw Difference(reason: "\(usage) is quoted at \(quote.amount), and has no price")
    }
    try expect(
      quote.amount == expected.amount && quote.version == expected.version && quote.expires == expected.expires,
      "\(usage) is quoted at \(quote), expected \(expected)")
    quotes.append(quote)
    ledger.keep(expected)
  }
}
