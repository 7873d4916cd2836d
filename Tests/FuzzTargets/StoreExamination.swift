internal import Credits
internal import CreditsTesting

/// What a store says that may be damaged: every answer is right, or an error.
struct StoreExamination {
  let shape: StoreShape
  let path: String
  let damage: StoreDamage

  /// Reads all there is without changing it; answers whether the store is said to be clean.
  func read() async throws -> Bool {
    do {
      let reader = try CreditReader.open(at: path, settings: StoreShape.settings())
      let problem = try await reader.verify().problem
      var isClean = problem == nil
      if Canary.isPlanted, problem?.account != nil { isClean = true }
      if let problem { try demand((1...1_024).contains(problem.description.utf8.count), "\(problem)") }
      let first = shape.rows.filter { $0.table == 0 }.map { StoreShape.number($0.key) }.min() ?? 1
      // What each account had available after its last entry.
      var found: [AccountID: Amount] = [:]
      do {
        try reader.forEachEntry(from: SequenceNumber(first)) { (entry) throws(StoreError) in
          found[entry.account] = entry.available
          return true
        }
      } catch {
        try check(error)
        try demand(!isClean, "verify finds nothing, and reading the journal says: \(error)")
      }
      for (account, balance) in shape.balances.sorted(by: { $0.key.low < $1.key.low }) {
        try check(account, balance, reader, found, isClean: isClean)
      }
      for answer in [
        { _ = try reader.priceBooks() }, { _ = try reader.catalogue() }, { _ = try reader.consumers() },
        { _ = try reader.chargesArePaused() }, { _ = try reader.statistics() },
      ] as [() throws -> Void] {
        do { try answer() } catch let error as StoreError { try check(error) }
      }
      return isClean
    } catch let error as StoreError {
      try check(error)
      return false
    }
  }

  private func check(
    _ account: AccountID, _ balance: Balance, _ reader: CreditReader, _ found: [AccountID: Amount], isClean: Bool
  ) throws {
    do {
      let answer = try reader.balance(of: account)
      if damage.isOnlyOfValues {
        try demand(answer == balance, "account \(account.low) has \(balance), the damaged store says \(answer as Any)")
      }
      if isClean, let available = found[account] {
        try demand(
          answer?.available == available, "account \(account.low) has \(available), a clean store says \(answer as Any)"
        )
      }
      _ = try reader.account(account)
      let history = try reader.history(of: account, limit: 10)
      if isClean, history.end == .complete, let answer {
        try demand(history.entries.first?.available == answer.available, "the history ends with another balance")
      }
      for request in shape.requests[account] ?? [] { _ = try reader.explain(request, of: account) }
    } catch let error as StoreError { try check(error) }
  }

  /// Opens the store for writing, and goes on with it.
  func use(isClean: Bool, on thread: OneThread) async throws {
    // A while after all that the shapes say: plans are renewed, grants expire, charges are to be asked for.
    var settings = StoreShape.settings(at: shape.latest + .seconds(40 * 86_400))
    settings.simulation = thread.simulation
    do {
      let store = try CreditStore.open(at: path, settings: settings)
      thread.serve(store)
      // Where an entry's time is thousands of years ahead, each day of a plan until then would be caught up with.
      guard store.simulated.time < shape.latest + .seconds(100 * 366 * 86_400) else { return try await store.close() }
      var answers = 0
      for account in shape.balances.keys.sorted(by: { $0.low < $1.low }) {
        for request in shape.requests[account] ?? [] {
          do { _ = try await store.explain(request, of: account) } catch { try check(error) }
        }
        do {
          _ = try store.account(account)
          let outcome = try await store.debit(0.000001, from: account, request: "debit", acknowledge: .applied)
          if outcome.isDebited { answers += 1 }
          let usage = Usage("chat", units: 3)
          _ = try await store.debit(for: usage, from: account, request: "usage", acknowledge: .applied)
          try await store.grant(1, to: account, source: .purchase(""), request: "grant", acknowledge: .applied)
          _ = try await store.hold(0.5, on: account, for: .seconds(9), request: "hold", acknowledge: .applied)
        } catch { try check(error) }
      }
      do {
        try await store.sync()
        try await store.tick()
        for account in shape.balances.keys { _ = try await store.history(of: account, limit: 10) }
      } catch { try check(error) }
      do {
        let problem = try await store.verify().problem
        try demand(!isClean || problem == nil, "a clean store has a problem after \(answers) debits: \(problem as Any)")
      } catch let error as StoreError { try check(error) }
      do { try await store.close() } catch { try check(error) }
    } catch let error as StoreError {
      try check(error)
    }
  }

  private func check(_ error: StoreError) throws {
    let length = error.description.utf8.count
    try demand((1...2_048).contains(length), "an error has \(length) bytes: \(error)")
  }
}

extension Outcome {
  fileprivate var isDebited: Bool { if case .debited = self { true } else { false } }
}
