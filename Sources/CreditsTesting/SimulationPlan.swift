internal import Credits

/// The scheduler of a simulated history: which step comes next follows from the seed, with a look at the state.
struct SimulationPlan {
  private var random: SplitMix64
  private var workload: RandomWorkload
  private let profile: SimulationProfile

  init(seed: UInt64, _ profile: SimulationProfile) {
    random = SplitMix64(seed: seed)
    workload = RandomWorkload(Choices(seed: ~seed), accounts: profile.accounts)
    self.profile = profile
  }

  /// The next step.
  mutating func next(_ run: SimulationRun) -> SimulationStep {
    if run.moved.failure != nil, random.once(in: 30) { return .crash }
    if run.isAhead, random.once(in: 10) { return random.once(in: 2) ? .acceptClock : .clock(run.ledger.latest) }
    if random.once(in: profile.crash) { return random.once(in: 4) ? .reopen : .crash }
    if random.once(in: profile.flood), !profile.isForgetful, let step = flood(run) { return step }
    switch random.below(1_000) {
    case 0..<400: return go(run) ?? ask(run) ?? commit(run)
    case 400..<630: return ask(run) ?? go(run) ?? commit(run)
    case 630..<790: return commit(run)
    case 790..<840: return .clock(workload.time(run.ledger))
    case 840..<855: return .tick
    case 855..<900: return take(run) ?? commit(run)
    case 900..<945: return call(run) ?? go(run) ?? commit(run)
    case 945..<953: return .end(random.below(6), charges: !random.once(in: 3))
    case 953..<965: return notice(run) ?? commit(run)
    case 965..<970: return report(run) ?? commit(run)
    case 970..<985: return .look(random.pick(profile.accounts))
    case 985..<992: return explain(run) ?? commit(run)
    case 992: return .quote(workload.usage())
    case 993: return publish(run) ?? commit(run)
    case 994 where profile.isForgetful: return trim(run) ?? commit(run)
    case 995 where random.once(in: 6): return .verify
    case 996 where random.once(in: 3): return .audit
    default: return go(run) ?? commit(run)
    }
  }

  private mutating func free(_ run: SimulationRun) -> Int? {
    let free = run.callers.filter { $0.errand == nil }
    return free.isEmpty ? nil : random.pick(free).number
  }

  private mutating func go(_ run: SimulationRun) -> SimulationStep? {
    let ready = run.callers.filter(\.isReady)
    return ready.isEmpty ? nil : .run(caller: random.pick(ready).number)
  }

  private mutating func ask(_ run: SimulationRun) -> SimulationStep? {
    guard let caller = free(run) else { return nil }
    let acknowledge: Acknowledgement = random.once(in: 8) ? .applied : .durable
    if random.once(in: 30) {
      let batch = workload.batch(run.ledger)
      if !batch.isEmpty { return .ask(caller: caller, batch, acknowledge, isBatch: true) }
    }
    if !run.lost.isEmpty, random.once(in: 3) {
      let request = run.lost.remove(at: random.below(run.lost.count))
      return .ask(caller: caller, [request], .durable, isBatch: false)
    }
    return .ask(caller: caller, [workload.request(run.ledger)], acknowledge, isBatch: false)
  }

  /// More debits in one call than a frame has room for.
  private mutating func flood(_ run: SimulationRun) -> SimulationStep? {
    guard let caller = free(run) else { return nil }
    let account = workload.account()
    let debits = (0..<3_500).map { _ in
      ReferenceRequest(.debit(Amount(millionths: 1), .whole), on: account, request: workload.id())
    }
    return .ask(caller: caller, debits, .durable, isBatch: true)
  }

  private mutating func commit(_ run: SimulationRun) -> SimulationStep {
    guard let pending = run.pending else { return .begin(idles: random.once(in: 40)) }
    if pending.isWritten { return .acknowledge }
    guard random.once(in: profile.failure) else { return .write(.succeeds) }
    return .write(random.once(in: 2) ? .fails : .failsOnceWritten)
  }

  private mutating func take(_ run: SimulationRun) -> SimulationStep? {
    let ready = run.ledger.readyCharges.map { ChargeID(account: $0.account, number: $0.number) }.filter {
      !run.claims.contains($0)
    }
    guard !ready.isEmpty, let caller = free(run) else { return nil }
    return .take(caller: caller, random.pick(ready))
  }

  private mutating func call(_ run: SimulationRun) -> SimulationStep? {
    guard !run.provider.calls.isEmpty else { return nil }
    let call = random.pick(run.provider.calls)
    if call.outcome == nil, !random.once(in: 8) {
      return random.once(in: 12) ? .lose(call.charge) : .arrive(call.charge, workload.act())
    }
    guard call.opening != nil, let caller = free(run) else { return nil }
    return call.outcome == nil || random.once(in: 8)
      ? .giveUp(caller: caller, call.charge) : .answer(caller: caller, call.charge)
  }

  private mutating func notice(_ run: SimulationRun) -> SimulationStep? {
    guard !run.provider.notices.isEmpty, let caller = free(run) else { return nil }
    let place = random.once(in: 20) ? random.below(1_000) : random.below(5)
    return .notice(caller: caller, place, again: random.once(in: 3))
  }

  private mutating func report(_ run: SimulationRun) -> SimulationStep? {
    guard let caller = free(run), case .report(let outcome, let number, let account) = workload.report(run.ledger)
    else { return nil }
    return .report(caller: caller, outcome, ChargeID(account: account, number: number))
  }

  private mutating func explain(_ run: SimulationRun) -> SimulationStep? {
    guard let caller = free(run) else { return nil }
    return .explain(caller: caller, workload.account(), random.once(in: 8) ? random.below(40) : random.below(4))
  }

  private mutating func publish(_ run: SimulationRun) -> SimulationStep? {
    guard run.ledger.prices.books.count < 16, !run.isPublishing, let caller = free(run) else { return nil }
    return .publish(caller: caller, workload.book(run.ledger))
  }

  private mutating func trim(_ run: SimulationRun) -> SimulationStep? {
    guard let caller = free(run) else { return nil }
    return .trim(caller: caller, before: run.ledger.now)
  }
}
