internal import Credits

/// What usage costs, or why it has no price.
struct ReferencePrice: Hashable, Sendable {
  let amount: Amount
  /// The version of the price book; nil where there is no price.
  let version: UInt32?
  let refusal: Denial.Reason?
}

extension ReferenceAccount.HoldEnd {
  /// The end as its callers are told.
  var outcome: HoldOutcome { HoldOutcome(receipt: receipt, cause: cause, excess: excess) }
}

extension ReferenceAccount {
  // MARK: Refusals

  /// The first reason to decline a well-formed request, in the order of precedence.
  func refusal(of request: ReferenceRequest, at price: ReferencePrice?) -> Denial.Reason? {
    if status == .closed {
      if case .removeMethod(let method) = request.verb { return has(method) ? nil : .noMethod }
      return .closed
    }
    switch request.verb {
    case .debit, .use, .quoted, .hold, .holdFor:
      if status == .frozen { return .frozen }
      if let refusal = price?.refusal { return refusal }
      let (needed, available) = (price?.amount ?? request.amount, available)
      var isCovered = available >= needed
      if case .debit(_, .upTo) = request.verb { isCovered = available > 0 }
      if !isCovered { return .insufficient(available: available, needed: needed) }
      return request.kind == .held && holds.count >= 256 ? .limit : nil
    case .grant(let amount, _, _, _, _): return hasRoom(for: amount) ? nil : .limit
    case .correct(let debit, let amount, _, _):
      if corrected.contains(debit) { return .alreadyCorrected }
      return corrected.count < 4_096 && hasRoom(for: amount) ? nil : .limit
    case .subscribe(let plan, _): return hasRoom(for: plan.allowance) ? nil : .limit
    case .unsubscribe: return plan == nil ? .noPlan : nil
    case .saveMethod: return methods.count < 16 ? nil : .limit
    case .removeMethod(let method), .setRefill(.on(_, _, _, _, let method, _)): return has(method) ? nil : .noMethod
    case .resumeRefill: return refill.terms == nil ? .noRefill : nil
    case .purchase(let offer, let method):
      if status == .frozen { return .frozen }
      if !has(method) { return .noMethod }
      return openCharges.count < 16 && hasRoom(for: Pack(offer)?.credits ?? 0) ? nil : .limit
    case .dispute(let number, _):
      return number > 0 && number <= charges.count && !charges[Int(number) - 1].isOpen ? nil : .noCharge
    case .open, .freeze, .unfreeze, .close, .setAlerts, .setRefill(.off), .capture, .release: return nil
    }
  }

  private func has(_ method: PaymentMethod) -> Bool { methods.contains { $0.number == method.number } }

  /// Records that a request is declined.
  mutating func deny(
    _ request: ReferenceRequest, _ reason: Denial.Reason, _ price: ReferencePrice?, at now: Timestamp
  ) -> Outcome {
    let details = ReferenceEntry.Details(
      request: request.request, denial: reason, declined: request.kind, usage: request.usage?.recorded,
      priceVersion: price?.version)
    return deny(reason, price?.amount ?? request.amount, details, at: now)
  }

  private mutating func deny(
    _ reason: Denial.Reason, _ amount: Amount, _ details: ReferenceEntry.Details, at now: Timestamp
  ) -> Outcome {
    add(.denied, amount, at: now, details)
    return .denied(Denial(reason: reason, sequence: last, time: now, isReplay: false))
  }

  // MARK: What is done

  /// Does what a request asks for that is not declined.
  mutating func perform(_ request: ReferenceRequest, _ price: ReferencePrice?, at now: Timestamp) -> ReferenceAnswer {
    let id = request.request
    apply(request, price, at: now)
    guard let entry = entries.last(where: { $0.details.request == id }) else {
      preconditionFailure("a request that is not refused makes an entry")
    }
    let number = entry.kind == .ordered ? entry.details.charge : entry.kind == .methodSaved ? lastMethod : nil
    let receipt = Receipt(
      sequence: entry.sequence, time: now, amount: entry.amount, balance: entry.available, isReplay: false,
      number: number ?? 0)
    switch request.verb {
    case .hold(_, let duration, let end), .holdFor(_, let duration, let end):
      return .held(
        Credits.Hold(
          account: self.id, request: id, number: 0, amount: entry.amount, deadline: now + duration, end: end,
          parts: []))
    case .saveMethod(let method, _):
      var saved = method.unsaved
      saved.number = lastMethod
      return .saved(saved)
    case .purchase(let offer, _):
      guard let pack = Pack(offer), let number else { preconditionFailure("what is not sold is not ordered") }
      return .ordered(receipt, number: number, pack)
    default: return .outcome(.debited(receipt))
    }
  }

  private mutating func apply(_ request: ReferenceRequest, _ price: ReferencePrice?, at now: Timestamp) {
    let id = request.request
    switch request.verb {
    case .open: add(.opened, 0, at: now, .init(request: id, text: label))
    case .grant(let amount, let source, let priority, let starts, let expires):
      give(amount, source, priority ?? source.kind.priority, starts ?? .zero, expires ?? .never, id, at: now)
    case .correct(let debit, let amount, let reason, let agent):
      corrected.insert(debit)
      let number = give(amount, .correction, 30, at: now)
      add(
        .granted, amount, at: now,
        .init(
          request: id, parts: [ReferenceEntry.Part(grant: number, amount: amount)],
          source: Credits.Grant.Source(.correction), priority: 30, text: reason, agent: agent, corrects: debit))
    case .debit, .use, .quoted:
      let details = ReferenceEntry.Details(request: id, usage: request.usage, priceVersion: price?.version)
      debit(price?.amount ?? request.amount, details, at: now)
    case .hold(_, let duration, let end), .holdFor(_, let duration, let end):
      hold(price?.amount ?? request.amount, duration, end, request, price?.version, at: now)
    case .freeze(let reason):
      status = .frozen
      add(.frozen, 0, at: now, .init(request: id, text: reason))
      cancelDue(nil, "frozen", at: now)
    case .unfreeze(let reason):
      status = .open
      add(.unfrozen, 0, at: now, .init(request: id, text: reason))
      lookAtThreshold(at: now)
    case .close(let reason): close(reason, id, at: now)
    case .capture, .release: break
    case .subscribe(let plan, let anchor): subscribe(plan, anchor, id, at: now)
    case .unsubscribe(let atOnce):
      if atOnce { return endPlan(id, at: now) }
      plan?.ends = true
      plan?.change = nil
      add(.unsubscribed, 0, at: now, .init(request: id))
    case .setAlerts(let amounts):
      let old = levels
      levels = Set(amounts).sorted(by: >).map { amount in
        old.first { $0.amount == amount } ?? Level(amount: amount)
      }
      add(.alertsSet, 0, at: now, .init(request: id))
    default: applyPayment(request, at: now)
    }
  }

  private mutating func applyPayment(_ request: ReferenceRequest, at now: Timestamp) {
    let id = request.request
    switch request.verb {
    case .saveMethod(let method, let forRefill): save(method.unsaved, forRefill: forRefill, id, at: now)
    case .removeMethod(let method): removeMethod(method.number, id, at: now)
    case .setRefill(.off): set(nil, id, at: now)
    case .setRefill(.on(let threshold, let offer, let cap, let period, let method, let consent)):
      guard let pack = Pack(offer) else { return }
      let terms = RefillTerms(
        threshold: threshold, pack: pack, cap: cap, period: period, method: method.number, consent: consent)
      set(terms, id, at: now)
    case .resumeRefill(let reason): resume(reason, id, at: now)
    case .purchase(let offer, let method):
      guard let pack = Pack(offer), let saved = methods.first(where: { $0.number == method.number }) else { return }
      open(.purchase, pack.credits, pack.price, saved, id, at: now)
    case .dispute(let number, let reason): dispute(number, reason, id, at: now)
    default: break
    }
  }

  private mutating func give(
    _ amount: Amount, _ source: Credits.Grant.Source, _ priority: UInt8, _ starts: Timestamp, _ expires: Timestamp,
    _ request: RequestID, at now: Timestamp
  ) {
    let number = give(amount, source.kind, priority, starts: starts, expires: expires, at: now)
    add(
      .granted, amount, at: now,
      .init(
        request: request, parts: [ReferenceEntry.Part(grant: number, amount: amount)], source: source,
        priority: priority, starts: starts == .zero ? nil : starts, expires: expires == .never ? nil : expires))
    // What had expired before it came is gone at once.
    settle(at: now)
  }

  /// Takes as much of an amount as there is.
  private mutating func debit(_ amount: Amount, _ details: ReferenceEntry.Details, at now: Timestamp) {
    let taken = min(amount, available)
    var details = details
    details.parts = take(taken).map(\.part)
    details.asked = taken == amount ? nil : amount
    spent += Int128(taken.millionths)
    add(.debited, taken, at: now, details)
  }

  private mutating func hold(
    _ amount: Amount, _ duration: Duration, _ end: Credits.Hold.End, _ request: ReferenceRequest, _ version: UInt32?,
    at now: Timestamp
  ) {
    let parts = take(amount)
    lastHold += 1
    holds.append(
      Hold(
        request: request.request, number: lastHold, amount: amount, deadline: now + duration, end: end, parts: parts))
    add(
      .held, amount, at: now,
      .init(
        request: request.request, parts: parts.map(\.part), until: now + duration, usage: request.usage,
        priceVersion: version))
  }

  /// Takes what the work of a hold has cost; what goes beyond it is a debit of its own.
  mutating func capture(_ hold: Hold, _ wanted: Amount, at now: Timestamp) -> HoldOutcome {
    let asked = wanted == hold.amount ? nil : wanted
    let receipt = end(hold, capturing: min(wanted, hold.amount), asked: asked, because: .caller, at: now)
    guard wanted > hold.amount else { return HoldOutcome(receipt: receipt, cause: .caller, excess: nil) }
    let more = wanted - hold.amount
    var details = ReferenceEntry.Details(request: hold.request.excessOfHold)
    let excess: Outcome
    if status == .frozen || available < more {
      let reason: Denial.Reason =
        status == .frozen ? .frozen : .insufficient(available: available, needed: more)
      (details.denial, details.declined) = (reason, .debited)
      excess = deny(reason, more, details, at: now)
    } else {
      let sequence = SequenceNumber(journal.value + 1)
      let balance = available - more
      debit(more, details, at: now)
      excess = .debited(
        Receipt(sequence: sequence, time: now, amount: more, balance: balance, isReplay: false))
    }
    ends[hold.request]?.excess = excess
    return HoldOutcome(receipt: receipt, cause: .caller, excess: excess)
  }

  /// Closes the account for good: all that it has goes, held or not; what was sent to be charged goes on.
  private mutating func close(_ reason: String, _ request: RequestID, at now: Timestamp) {
    cancelDue(nil, "closed", at: now)
    let gone = available + held
    expired += Int128(gone.millionths)
    (grants, holds, plan, levels, refill) = ([], [], nil, [], ReferenceRefill())
    status = .closed
    add(.closed, gone, at: now, .init(request: request, text: reason))
  }
}
