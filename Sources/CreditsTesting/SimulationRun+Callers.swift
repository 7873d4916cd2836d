internal import Credits

/// What callers do: an errand is decided at one step, or at several, and answered at a later one.
extension SimulationRun {
  /// A caller begins an errand, if it is free.
  func begin(_ number: Int, _ errand: SimulatedCaller.Errand) -> Bool {
    let caller = callers[number]
    guard caller.errand == nil else { return false }
    let (store, moved, quotes) = (store, Unchecked(moved), quotes)
    switch errand {
    case .requests(let requests, let acknowledge, false):
      caller.begin(errand, at: moved.value.time) { () throws(StoreError) in
        .answers([try await store.answer(requests[0], acknowledge, quotes: quotes)])
      }
    case .requests(let requests, let acknowledge, true):
      caller.begin(errand, at: moved.value.time) { () throws(StoreError) in
        let debits = requests.compactMap { request -> Debit? in
          guard case .debit(let amount, let extent) = request.verb else { return nil }
          return Debit(amount, from: request.account, request: request.request, extent: extent)
        }
        return .answers(try await store.debit(debits, acknowledge: acknowledge).map { .outcome($0) })
      }
    case .take(let charge):
      caller.begin(errand, at: moved.value.time) { () throws(StoreError) in
        .call(try await moved.value.begin(charge: charge.number, of: charge.account, SimulatedGateway()))
      }
    case .settle(let call, let outcome):
      let call = Unchecked(call)
      caller.begin(errand, at: moved.value.time) { () throws(StoreError) in
        try await moved.value.finish(call.value, outcome, SimulatedGateway())
        return .done
      }
    case .report(let outcome, let charge, let known):
      caller.begin(errand, at: moved.value.time) { () throws(StoreError) in
        .booked(try await store.report(outcome, charge, known))
      }
    case .publish(let book):
      caller.begin(errand, at: moved.value.time) { () throws(StoreError) in .published(try await store.publish(book)) }
    case .explain(let entry):
      guard let request = entry.details.request, let account = owner(of: entry) else { return false }
      caller.begin(errand, at: moved.value.time) { () throws(StoreError) in
        .explained(try await store.explain(request, of: account))
      }
    case .trim(let time):
      caller.begin(errand, at: moved.value.time) { () throws(StoreError) in
        _ = try await store.trim(before: time)
        return .done
      }
    }
    return true
  }

  private func owner(of entry: ReferenceEntry) -> AccountID? {
    profile.accounts.first { ledger.accounts[$0]?.entries.contains { $0.sequence == entry.sequence } ?? false }
  }

  /// A caller goes on until it waits again, or has its answer.
  func run(_ caller: SimulatedCaller) throws {
    guard caller.isReady else { return }
    caller.until = max(caller.until, ledger.now)
    if !caller.hasAsked, case .requests(let requests, _, false) = caller.errand {
      // Usage is priced when it is asked for, though it may have to wait for room.
      caller.price = ledger.price(of: requests[0])
    }
    caller.hasAsked = true
    let waiting = moved.waitingForRoom
    caller.run()
    let waitsForRoom = moved.waitingForRoom > waiting
    // What the store has decided meanwhile, the reference ledger decides now.
    while ledger.last < moved.last, decide(caller) {}
    try checkLength()
    if case .publish(let book) = caller.errand, caller.decided == 0, caller.result == nil, moved.failure == nil {
      caller.decided = 1
      note(.publish(book))
    }
    while caller.result == nil, hasPassed(caller, waitsForRoom), decide(caller) {}
    if !caller.mayBeVain, let change = errand(caller), caller.decided == 0 { caller.mayBeVain = isVain(change) }
    guard let result = caller.result else { return }
    switch result {
    case .failure(let error): try check(error, of: caller)
    case .success(let answer):
      if caller.mayBeVain && !answer.isCall || isOutsideRetention(caller) { caller.decided = 1 }
      while decide(caller) {
        try expect(
          "journal: missing", ledger.last == moved.last, "\(caller.errand.debugDescription) should have made an entry")
      }
      try finish(caller, answer)
    }
    if case .publish = caller.errand { isPublishing = false }
    if case .take(let charge) = caller.errand { release(charge, unless: result) }
    if case .settle(let call, _) = caller.errand { claims.remove(ChargeID(call)) }
    caller.end()
  }

  /// Whether a batch that still waits must have come past its next request: one that leaves no trace, or repeats what
  /// is durable, unless the batch waits there for room in memory.
  private func hasPassed(_ caller: SimulatedCaller, _ waitsForRoom: Bool) -> Bool {
    guard case .requests(let requests, _, true) = caller.errand, caller.decided < requests.count else { return false }
    let request = requests[caller.decided]
    let isCold = ledger.accounts[request.account] != nil && !moved.isResident(request.account)
    if waitsForRoom && isCold { return false }
    if let earlier = ledger.answer(to: request.request, of: request.account) { return earlier <= moved.durable }
    return isVain(.request(request, nil))
  }

  /// What a caller's errand changes, if that is a step of a charge: it may change nothing, and nobody is told when that
  /// was decided.
  private func errand(_ caller: SimulatedCaller) -> Change? {
    switch caller.errand {
    case .take(let charge): .advance(charge)
    case .settle(let call, let outcome): .book(call.certain(outcome), ChargeID(call))
    case .report(let outcome, let charge, _): .book(outcome, charge)
    default: nil
    }
  }

  /// Whether a change leaves no trace now.
  private func isVain(_ change: Change) -> Bool {
    var copy = ledger
    SimulationRun.apply(change, to: &copy)
    return copy.last == ledger.last
  }

  /// Whether a report may have been turned away, as its charge has ended and the journal need not have it any more:
  /// then time does not do its work on the account either.
  private func isOutsideRetention(_ caller: SimulatedCaller) -> Bool {
    guard case .report(_, let id, _) = caller.errand else { return false }
    return mayBeOutsideRetention(id)
  }

  /// Whether the journal need not tell any more what became of a charge.
  func mayBeOutsideRetention(_ id: ChargeID) -> Bool {
    guard profile.isForgetful, let account = ledger.accounts[id.account] else { return false }
    return !account.charges[Int(id.number) - 1].isOpen && !account.unpaid.contains(id.number)
  }

  private func release(_ charge: ChargeID, unless result: Result<SimulatedCaller.Answer, StoreError>) {
    if case .success(.call(_?)) = result { return }
    claims.remove(charge)
  }

  /// Does the next part of a caller's errand in the reference ledger; false if there is none.
  private func decide(_ caller: SimulatedCaller) -> Bool {
    switch caller.errand {
    case .requests(let requests, _, _):
      guard caller.decided < requests.count,
        let answer = change(.request(requests[caller.decided], caller.price))
      else { return false }
      caller.expected.append(answer)
      counts.requests += 1
    case .take(let charge):
      guard caller.decided == 0 else { return false }
      let wasDue = ledger.accounts[charge.account]?.charges[Int(charge.number) - 1].status == .due
      note(.advance(charge))
      caller.call = ledger.advance(charge.number, of: charge.account)
      if wasDue { counts.charges += 1 }
    case .settle(let call, let outcome):
      guard caller.decided == 0 else { return false }
      change(.book(call.certain(outcome), ChargeID(call)))
    case .report(let outcome, let charge, _):
      guard caller.decided == 0 else { return false }
      change(.book(outcome, charge))
    default: return false
    }
    caller.decided += 1
    return true
  }

  // MARK: Answers

  /// Whether a caller may get this error now.
  private func check(_ error: StoreError, of caller: SimulatedCaller) throws {
    switch error {
    case .clockJumped where isAhead: return
    case .overloaded(profile.waitingCallers) where callers.count > profile.waitingCallers: return
    case .outsideRetention where profile.isForgetful && reachesBack(caller): return
    default: break
    }
    guard let failure = moved.failure else {
      throw Failure(kind: "an error", reason: "\(caller.errand.debugDescription) fails: \(error)")
    }
    counts.errors += 1
    try expect("G10: error", error == failure, "the store has stopped with \(failure), a caller gets \(error)")
  }

  /// Whether a caller asks for something that may be older than the journal. Its own request never is: as long as it is
  /// remembered, its entry is kept.
  private func reachesBack(_ caller: SimulatedCaller) -> Bool {
    guard case .requests(let requests, _, _) = caller.errand else { return true }
    return requests.contains { if case .correct = $0.verb { true } else { false } }
  }

  private func finish(_ caller: SimulatedCaller, _ answer: SimulatedCaller.Answer) throws {
    switch (caller.errand, answer) {
    case (.requests(let requests, let acknowledge, _), .answers(let answers)):
      try expect("an answer", answers.count == requests.count, "\(answers.count) answers came for \(requests.count)")
      for (place, answer) in answers.enumerated() {
        try check(answer, caller.expected[place], requests[place], caller)
        digest.add(answer)
        if let sequence = answer.sequence, acknowledge == .durable || answer.isReplay { try know(sequence) }
      }
      try checkAccount(requests[0].account)
    case (.take(let charge), .call(let call)): try send(charge, call, caller)
    case (.settle(let call, _), _): try checkAccount(call.order.account)
    case (.report(let outcome, let charge, _), .booked(let denial)):
      let account = ledger.accounts[charge.account]
      var expected = false
      if let known = account?.charges[Int(charge.number) - 1], !known.isOpen, case .succeeded = outcome {
        expected = !known.isPaid
      }
      // What the journal no longer tells may be turned away, and what was never credited must be.
      let isRight = (denial?.reason == .noCharge) == expected && (denial == nil) == !expected
      let isCautious = mayBeOutsideRetention(charge) && denial?.reason == .noCharge
      try expect(
        "G5: report", isRight || isCautious, "\(outcome) of \(charge) gave \(String(describing: denial))")
      try checkAccount(charge.account)
    case (.publish(let book), .published(let version)):
      ledger.publish(book)
      note(.published)
      try expect("prices", Int(version) == ledger.prices.books.count, "the book became version \(version)")
    case (.explain(let entry), .explained(let explanation)): try check(explanation, of: entry)
    default: break
    }
  }

  /// Somebody knows now that an entry is durable.
  private func know(_ sequence: SequenceNumber) throws {
    acknowledged = max(acknowledged, sequence)
    try expect(
      "G3: acknowledged", sequence <= written,
      "entry \(sequence) is acknowledged, and the disk has all up to \(written)")
  }

  private func check(
    _ answer: ReferenceAnswer, _ expected: ReferenceAnswer, _ request: ReferenceRequest, _ caller: SimulatedCaller
  ) throws {
    if answer == expected { return }
    if case .outcome(.denied(let denial)) = answer, case .outcome(.denied(let other)) = expected,
      denial.sequence == nil, other.sequence == nil, denial.reason == other.reason, denial.isReplay == other.isReplay,
      denial.time >= caller.since, denial.time <= max(caller.until, ledger.now(of: request.account))
    {
      return
    }
    throw Failure(
      kind: expected.isReplay != answer.isReplay ? "G2: repetition" : "an answer",
      reason: "\(request)\n  gave \(answer)\n  expected \(expected)")
  }

  private func check(_ explanation: Explanation?, of entry: ReferenceEntry) throws {
    counts.explanations += 1
    guard let explanation else {
      throw Failure(kind: "G7: explained", reason: "the request of entry \(entry.sequence) is not explained")
    }
    if let difference = entry.difference(from: explanation.entry) {
      throw Failure(kind: "G7: explained", reason: difference)
    }
    let drawsOnGrants = entry.kind == .debited || entry.kind == .held || entry.kind == .captured
    let grants = explanation.grants.compactMap(\.parts.first?.grant)
    try expect(
      "G7: explained", profile.isForgetful || grants == (drawsOnGrants ? entry.details.parts.map(\.grant) : []),
      "the grants of entry \(entry.sequence) are not explained")
  }
}

/// Something that is handed to a task of the simulation's own thread.
struct Unchecked<Value>: @unchecked Sendable {
  // Safe to share: a simulation uses one thread.
  let value: Value
  init(_ value: Value) { self.value = value }
}

extension CreditStore {
  /// Reports what is told of a charge; answers the denial, if there is one.
  func report(_ outcome: ChargeOutcome, _ charge: ChargeID, _ known: String?) async throws(StoreError) -> Denial? {
    do throws(StoreError) {
      var key = known
      if key == nil { key = try await self.key(ofCharge: charge.number, of: charge.account) }
      try await report(outcome, ofChargeWithKey: key ?? "of no charge")
    } catch {
      guard case .denied(let denial) = error else { throw error }
      return denial
    }
    return nil
  }
}

extension SimulatedCaller.Answer {
  /// Whether a call to the payment provider is to be made.
  fileprivate var isCall: Bool {
    if case .call(_?) = self { return true }
    return false
  }
}

extension ReferenceAnswer {
  /// The entry that the answer is from, where it says so.
  var sequence: SequenceNumber? {
    switch self {
    case .outcome(let outcome): outcome.sequence
    case .ended(let outcome): outcome.receipt.sequence
    case .ordered(let receipt, _, _): receipt.sequence
    case .held, .saved, .notSold: nil
    }
  }

  /// Whether it is that of an earlier request.
  var isReplay: Bool {
    switch self {
    case .outcome(.debited(let receipt)): receipt.isReplay
    case .outcome(.denied(let denial)): denial.isReplay
    case .ended(let outcome): outcome.receipt.isReplay
    case .ordered(let receipt, _, _): receipt.isReplay
    case .held, .saved, .notSold: false
    }
  }
}

extension ChargeID {
  init(_ call: SimulatedStore.Call) {
    self.init(account: call.order.account, number: call.order.charge.number)
  }
}
