internal import Credits

/// What has to do with cards: the worker's steps, and the payment provider's.
extension SimulationRun {
  /// A worker takes up a charge, if nobody has it.
  func take(_ number: Int, _ charge: ChargeID) throws {
    guard moved.failure == nil, !isAhead, !claims.contains(charge),
      ledger.readyCharges.contains(where: { $0.account == charge.account && $0.number == charge.number })
    else { return }
    try checkReady()
    guard begin(number, .take(charge)) else { return }
    claims.insert(charge)
    // It claims the charge at once.
    try run(callers[number])
  }

  /// Compares which charges are ready, where time has nothing left to do first.
  private func checkReady() throws {
    guard !isAhead, ledger.due.isEmpty else { return }
    let found = try trying("looking for charges") { () throws(StoreError) in try moved.readyCharges() }
    let expected = ledger.readyCharges.filter { !claims.contains(ChargeID(account: $0.account, number: $0.number)) }
    try expect(
      "G5: ready", found.elementsEqual(expected, by: ==), "the charges \(found) are ready, expected \(expected)")
  }

  /// The worker's call goes on its way, if it is the right one.
  func send(_ charge: ChargeID, _ call: SimulatedStore.Call?, _ caller: SimulatedCaller) throws {
    let state = ledger.accounts[charge.account]?.charges[Int(charge.number) - 1]
    guard let call else {
      let isSettled = !(state?.isOpen ?? false) || state?.retry ?? .never > caller.since
      return try expect("G5: not sent", caller.call == nil || isSettled, "\(charge) is not sent")
    }
    let order = call.order
    guard let state, let expected = caller.call else {
      throw Failure(kind: "G5: sent", reason: "\(charge) is sent, and should not be")
    }
    if case .charge(let price, let token) = expected {
      try expect(
        "G5: order", call.sends && order.price == price && order.method.token == token,
        "\(charge) is sent as \(order), expected \(expected)")
    } else {
      try expect("G5: order", !call.sends, "\(charge) is sent as \(order), and should be looked up")
    }
    let isRenamed = control == .newKey && call.sends && provider.charges.contains { $0.value == charge }
    let sent = isRenamed ? order.renamed(order.key + "-again") : order
    provider.calls.append(
      SimulatedProvider.Call(charge: charge, call: call, order: sent, made: ledger.now, opening: opening))
    digest.add(state.isOpen ? 3 : 4)
  }

  /// A call comes to the provider.
  func arrive(_ charge: ChargeID, _ act: ScriptedGateway.Act) throws {
    provider.arrive(charge, act, at: ledger.now)
    if let twice = provider.twice { throw Failure(kind: "G5: charged twice", reason: "\(twice) was charged twice") }
  }

  /// The worker gets an answer.
  func answer(_ number: Int, _ charge: ChargeID) throws {
    guard
      let place = provider.calls.firstIndex(where: {
        $0.charge == charge && $0.opening == opening && $0.outcome != nil
      }), let outcome = provider.calls[place].outcome
    else { return }
    guard begin(number, .settle(provider.calls[place].call, outcome)) else { return }
    provider.calls.remove(at: place)
  }

  /// The worker waits no longer; the call may come all the same.
  func giveUp(_ number: Int, _ charge: ChargeID) throws {
    guard let place = provider.calls.firstIndex(where: { $0.charge == charge && $0.opening == opening }) else { return }
    let call = provider.calls[place]
    guard begin(number, .settle(call.call, .unknown(reason: "no answer within 30.0 seconds"))) else { return }
    if call.outcome == nil { provider.calls[place].opening = nil } else { provider.calls.remove(at: place) }
  }

  /// A notice of the provider is brought.
  func notice(_ number: Int, _ place: Int, again: Bool) throws {
    guard !provider.notices.isEmpty, callers[number].errand == nil else { return }
    let index = provider.notices.count - 1 - place % provider.notices.count
    let notice = provider.notices[index]
    if !again { provider.notices.remove(at: index) }
    guard let charge = provider.charges[notice.key] else { return }
    try report(number, notice.outcome, charge, key: notice.key)
  }

  /// Something is reported of a charge.
  func report(_ number: Int, _ outcome: ChargeOutcome, _ charge: ChargeID, key: String?) throws {
    guard moved.failure == nil, callers[number].errand == nil else { return }
    let charges = ledger.accounts[charge.account]?.charges ?? []
    let isKnown = charge.number > 0 && charge.number <= charges.count
    var isPlain = isKnown
    if isKnown, case .succeeded(_, let price) = outcome { isPlain = price == charges[Int(charge.number) - 1].price }
    // What is not one change but may be several is done without others in between.
    if isPlain {
      _ = begin(number, .report(outcome, charge, key: key))
    } else if !isAhead, !isKnown || !mayBeOutsideRetention(charge) {
      try reportAtOnce(outcome, charge, key: key)
    }
  }

  /// Reports something, and commits until it is done.
  func reportAtOnce(_ outcome: ChargeOutcome, _ charge: ChargeID, key: String?) throws {
    guard let caller = callers.first(where: { $0.errand == nil }) else { return }
    try commitAll()
    let store = store
    caller.begin(.report(outcome, charge, key: key), at: moved.time) { () throws(StoreError) in
      .booked(try await store.report(outcome, charge, key))
    }
    try look()
    let denial = ledger.report(outcome, charge.number, of: charge.account)
    note(.report(outcome, charge))
    for _ in 0..<1_000 where caller.result == nil {
      if caller.isReady { caller.run() } else { try step() }
    }
    try look()
    try checkLength()
    guard case .success(.booked(let found)) = caller.result else {
      throw Failure(kind: "G5: report", reason: "\(outcome) of \(charge) gave \(caller.result.debugDescription)")
    }
    caller.end()
    if !profile.isForgetful {
      try expect(
        "G5: report", found?.reason == denial?.reason, "\(outcome) of \(charge) gave \(found.debugDescription)")
    }
    try commitAll()
    try checkAccount(charge.account)
  }

  /// One commit, whatever it takes.
  func step() throws {
    try begin(idles: false)
    try write(.succeeds)
    try acknowledge()
  }
}
