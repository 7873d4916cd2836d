internal import Credits

extension Simulator {
  /// A short part of a history that fails in the same way.
  public struct Shortest: Hashable, Sendable {
    /// The numbers of its steps.
    public let kept: [Int]
    /// Whether no single step can be left out; false if there was no time to find out.
    public let isMinimal: Bool
  }

  /// Makes a history that fails shorter, as long as what is left fails in the same way.
  ///
  /// Leaves out what concerns half of the accounts, then quarters, and so on to single ones; then kinds of steps; then
  /// steps.
  ///
  /// - Parameters:
  ///   - limit: How long to try. A try that has begun is ended.
  ///   - tries: The most parts to try.
  ///   - progress: Called after each try with the number of steps that are left and that of tries.
  public func shrink(
    seed: UInt64, steps: Int, _ finding: Finding, within limit: Duration = .seconds(60), tries: Int = .max,
    progress: (_ left: Int, _ tries: Int) -> Void = { _, _ in }
  ) -> Shortest {
    var made: [SimulationStep] = []
    _ = history(seed: seed, steps: steps, into: &made)
    var kept = Array(made.indices.prefix(finding.step + 1))
    var count = 0
    let end = ContinuousClock.now + limit
    var hasTime: Bool { count < tries && ContinuousClock.now < end }
    /// Whether what is left without some steps fails; leaves them out if so, and what comes after the failure.
    func leaveOut(_ steps: some Sequence<Int>) -> Bool {
      count += 1
      let without = Set(steps)
      let candidate = kept.filter { !without.contains($0) }
      let found = play(candidate.map { made[$0] }, seed: seed).finding
      let fails = found?.kind == finding.kind
      if let found, fails { kept = Array(candidate.prefix(found.step + 1)) }
      progress(kept.count, count)
      return fails
    }
    /// Leaves out groups of steps; false if there was no time to try each of those that are left.
    func reduce(by group: (Int) -> String?) -> Bool {
      var groups = Dictionary(grouping: kept.filter { group($0) != nil }, by: { group($0) ?? "" }).values
        .sorted { $0[0] < $1[0] }
      var size = max(1, groups.count / 2)
      while hasTime, !groups.isEmpty {
        var hasShrunk = false
        var start = 0
        while start < groups.count, hasTime {
          let end = min(start + size, groups.count)
          guard leaveOut(groups[start..<end].joined()) else {
            start = end
            continue
          }
          let last = kept.last ?? -1
          groups.removeSubrange(start..<end)
          groups.removeAll { $0[0] > last }
          hasShrunk = true
        }
        if size == 1, !hasShrunk { return hasTime }
        size = max(1, hasShrunk ? min(size, groups.count / 2) : size / 2)
      }
      return groups.isEmpty
    }
    _ = reduce { made[$0].account.map { "\($0.low)" } }
    _ = reduce { made[$0].kind }
    let isMinimal = reduce { "\($0)" }
    return Shortest(kept: kept, isMinimal: isMinimal)
  }
}

extension SimulationStep {
  /// The account that it is about, if it is about one.
  fileprivate var account: AccountID? {
    switch self {
    case .ask(_, let requests, _, _): requests.first?.account
    case .take(_, let charge), .arrive(let charge, _), .answer(_, let charge), .giveUp(_, let charge),
      .lose(let charge), .report(_, _, let charge):
      charge.account
    case .look(let account), .explain(_, let account, _): account
    default: nil
    }
  }

  /// The name of its case.
  fileprivate var kind: String { Mirror(reflecting: self).children.first?.label ?? "\(self)" }
}
