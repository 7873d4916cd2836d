internal import Credits

/// What broken stores would have recorded, made out of what a good one did: each must be rejected.
enum Control: String, CaseIterable {
  /// A debit was decided on the state before the one before it.
  case lostUpdate = "lost-update"
  /// A repeated grant was carried out again.
  case doubleGrant = "double-grant"
  /// A repeated debit was carried out again.
  case doubleDebit = "double-debit"
  /// A balance was shown that had been overtaken before the call began.
  case staleRead = "stale-read"
  /// A balance was shown with the version of another one.
  case tornRead = "torn-read"
  /// A repetition was told another outcome.
  case otherReplay = "other-replay"
  /// The last credits were taken twice.
  case twoWinners = "two-winners"
  /// A debit was denied, though there was enough.
  case falseDenial = "false-denial"
  /// A call comes after one that began only when it had returned.
  case realTime = "real-time"
  /// What had expired was spent.
  case spentExpired = "spent-expired"
  /// A hold was captured twice.
  case capturedTwice = "captured-twice"
  /// The threshold was crossed, and no refill came due.
  case missedCrossing = "missed-crossing"
  /// The threshold was crossed once, and two refills came due.
  case doubleRefill = "double-refill"
  /// A charge was credited twice.
  case doubleCredit = "double-credit"
  /// A caller was told an outcome that the journal does not have.
  case unwritten

  /// Whether it can be told from calls alone, without journal and numbers.
  var isVisible: Bool {
    switch self {
    case .lostUpdate, .doubleGrant, .doubleDebit, .staleRead, .otherReplay, .twoWinners, .falseDenial, .realTime: true
    default: false
    }
  }

  /// Breaks a history; false if there is no place in it for that.
  func apply(to history: inout History, account: Int? = nil) -> Bool {
    var bench = Bench(history, account)
    guard perform(on: &bench) else { return false }
    history = bench.history
    return true
  }

  private func perform(on bench: inout Bench) -> Bool {
    switch self {
    case .lostUpdate:
      guard let (first, second) = bench.pair({ $0.kind == .debited && $0.number != 0 }) else { return false }
      bench.shift(from: second, by: bench.events[first].amount)
    case .doubleGrant, .doubleDebit:
      let kind: JournalEntry.Kind = self == .doubleGrant ? .granted : .debited
      guard
        let place = bench.first(where: {
          $0.kind == kind && $0.number != 0 && bench.replay(of: $0) != nil
            && (kind == .granted || $0.amount <= bench.end)
        }), let call = bench.replay(of: bench.events[place])
      else { return false }
      return bench.again(place, told: call)
    case .staleRead, .tornRead:
      for (index, call) in bench.reads {
        guard let place = bench.place(of: call.sequence), place > 0 else { continue }
        let (now, before) = (bench.events[place], bench.events[place - 1])
        guard let maker = bench.owner(of: now), bench.history.calls[maker].returned < call.began,
          now.available != before.available, now.kind == .debited || now.kind == .granted
        else { continue }
        bench.history.calls[index].available = before.available
        if self == .staleRead { bench.history.calls[index].sequence = before.sequence }
        return true
      }
      return false
    case .otherReplay:
      guard
        let index = bench.history.calls.firstIndex(where: {
          $0.isReplay && $0.verb == .request && $0.answer == .done && bench.isChosen($0)
        })
      else { return false }
      bench.history.calls[index].amount -= 1
      bench.history.calls[index].available += 1
    case .twoWinners:
      guard let place = bench.first(where: { $0.isInsufficient && $0.available > 0 && bench.isWhole($0) }) else {
        return false
      }
      let left = bench.events[place].available
      bench.change(place) {
        ($0.kind, $0.isInsufficient, $0.available) = (.debited, false, left - $0.amount)
      }
      bench.tell(place)
    case .falseDenial:
      guard
        let place = bench.first(where: { $0.kind == .debited && bench.isWhole($0) && $0.available > 1_000_000 })
      else { return false }
      let amount = bench.events[place].amount
      bench.change(place) {
        ($0.kind, $0.isInsufficient, $0.available) = (.denied, true, $0.available + amount)
      }
      bench.tell(place)
      bench.shift(from: place + 1, by: amount)
    case .realTime:
      let made = bench.events.indices.filter {
        bench.events[$0].kind == .debited && bench.owner(of: bench.events[$0]) != nil
      }
      guard made.count > 40, let early = bench.owner(of: bench.events[made[made.count / 2]]),
        let late = bench.owner(of: bench.events[made[made.count / 2 + 20]])
      else { return false }
      let end = bench.history.calls.map(\.returned).max() ?? 0
      bench.history.calls[early].began = max(bench.history.calls[late].returned, end) + 1
      bench.history.calls[early].returned = end + 2
      bench.history.calls[early].lane = UInt16(bench.history.plan.profile.lanes)
    default: return performOnEntries(&bench)
    }
    return true
  }

  /// What only the journal shows.
  private func performOnEntries(_ bench: inout Bench) -> Bool {
    func first(_ kind: JournalEntry.Kind) -> Int? { bench.first { $0.kind == kind } }
    switch self {
    case .spentExpired:
      // The grant goes one entry too late: a debit came first.
      for place in bench.events.indices.dropLast() where bench.events[place].kind == .expired {
        let next = bench.events[place + 1]
        guard next.kind == .debited, next.sequence == bench.events[place].sequence + 1 else { continue }
        bench.exchange(place, place + 1)
        return true
      }
      return false
    case .capturedTwice:
      guard let place = bench.first(where: { $0.kind == .captured && bench.replay(of: $0) != nil }),
        let call = bench.replay(of: bench.events[place])
      else { return false }
      return bench.again(place, told: call)
    case .missedCrossing:
      guard let place = first(.due) else { return false }
      let charge = bench.events[place].charge
      bench.removeEvents { $0.charge == charge && $0.kind == .due }
    case .doubleRefill:
      guard let place = first(.due) else { return false }
      bench.insertCopy(of: place) { $0.charge += 1 }
    case .doubleCredit:
      guard let place = first(.credited) else { return false }
      let amount = bench.events[place].amount
      bench.insertCopy(of: place) { $0.available += amount }
    case .unwritten:
      guard let place = bench.first(where: { $0.kind == .debited && bench.owner(of: $0) != nil }) else { return false }
      let sequence = bench.events[place].sequence
      bench.removeEvents { $0.sequence == sequence }
    default: return false
    }
    return true
  }
}
