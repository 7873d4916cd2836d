internal import Credits

/// Runs simulated histories: the real engine on one thread, with simulated callers, scheduler, clock, disk and payment
/// provider, all from one seed, and the reference ledger beside it.
///
/// The same seed gives the same history, to the last entry. One that fails is made shorter, step by step, as long as it
/// fails in the same way.
public struct Simulator: Sendable {
  /// What is made wrong on purpose, in the simulation and not in the store: it must be found.
  public enum Control: String, CaseIterable, Sendable {
    /// Commits are acknowledged before they are written.
    case early
    /// A store that was opened anew has forgotten its requests.
    case forgetful
    /// A charge that is sent again gets another key.
    case newKey = "new-key"
  }

  /// What happened in a history.
  public struct Counts: Hashable, Sendable {
    /// The requests that were decided.
    public internal(set) var requests = 0
    /// The entries that were compared.
    public internal(set) var entries = 0
    /// The comparisons of whole accounts.
    public internal(set) var comparisons = 0
    /// The commits that began.
    public internal(set) var commits = 0
    /// The commits that failed.
    public internal(set) var failures = 0
    /// The errors that callers of a stopped store got.
    public internal(set) var errors = 0
    /// The deaths of the process.
    public internal(set) var crashes = 0
    /// The closings in order.
    public internal(set) var reopenings = 0
    /// The charges that were sent for the first time.
    public internal(set) var charges = 0
    /// The requests that were explained.
    public internal(set) var explanations = 0
    /// The times that the store proved itself.
    public internal(set) var proofs = 0

    /// Makes counts of nothing.
    public init() {}

    /// Adds what happened in another history.
    public static func += (left: inout Counts, right: Counts) {
      for path in [
        \Counts.requests, \.entries, \.comparisons, \.commits, \.failures, \.errors, \.crashes, \.reopenings, \.charges,
        \.explanations, \.proofs,
      ] { left[keyPath: path] += right[keyPath: path] }
    }
  }

  /// What is wrong.
  public struct Finding: Hashable, Sendable {
    /// The step that showed it, from 0; the number of steps if it was the look at the end.
    public let step: Int
    /// The promise that is broken, and how.
    public let kind: String
    /// What exactly.
    public let reason: String
  }

  /// What came of a history.
  public struct History: Hashable, Sendable {
    /// The number of steps.
    public let steps: Int
    /// A number that any difference in what happened changes.
    public let digest: UInt64
    /// What happened.
    public let counts: Counts
    /// What is wrong; nil if nothing is.
    public let finding: Finding?
  }

  private let place: TemporaryStore
  private let control: Control?
  private let watch: (@Sendable (Int) -> Void)?

  /// Makes a simulator that keeps its stores in a new folder; the best place is one in memory.
  ///
  /// - Parameter watch: Called with the number of each step before it is performed, 0 being the beginning of a history,
  ///   so that somebody can tell which one does not come to an end.
  public init(in folder: String? = nil, control: Control? = nil, watch: (@Sendable (Int) -> Void)? = nil) {
    place = TemporaryStore(in: folder)
    self.control = control
    self.watch = watch
  }

  // MARK: Running

  /// Runs the history of a seed.
  public func run(seed: UInt64, steps: Int) -> History {
    var made: [SimulationStep] = []
    return history(seed: seed, steps: steps, into: &made)
  }

  /// Runs some steps of the history of a seed, and leaves out all others.
  public func run(seed: UInt64, steps: Int, keeping kept: [Int]) -> (history: History, lines: [String]) {
    var made: [SimulationStep] = []
    _ = history(seed: seed, steps: steps, into: &made)
    let chosen = kept.filter { $0 < made.count }
    return (play(chosen.map { made[$0] }, seed: seed), chosen.map { "\($0): \(made[$0])" })
  }

  func history(seed: UInt64, steps: Int, into made: inout [SimulationStep]) -> History {
    let profile = SimulationProfile(seed: seed)
    var plan = SimulationPlan(seed: seed, profile)
    return play(profile) { run in
      guard made.count < steps else { return nil }
      made.append(plan.next(run))
      return made.last
    }
  }

  func play(_ steps: [SimulationStep], seed: UInt64) -> History {
    var rest = steps[...]
    return play(SimulationProfile(seed: seed)) { _ in rest.popFirst() }
  }

  private func play(_ profile: SimulationProfile, _ next: (SimulationRun) -> SimulationStep?) -> History {
    let path = place.place("history")
    TemporaryStore.remove(path)
    var step = 0
    var counts = Counts()
    var digest = Digest()
    watch?(0)
    do {
      let run = try SimulationRun(profile, control, path: path)
      defer {
        run.leave()
        (counts, digest) = (run.counts, run.digest)
      }
      while let chosen = next(run) {
        try run.perform(chosen)
        step += 1
        watch?(step)
      }
      try run.conclude()
    } catch {
      let failure = error as? SimulationRun.Failure
      let finding = Finding(step: step, kind: failure?.kind ?? "an error", reason: failure?.reason ?? "\(error)")
      return History(steps: step, digest: digest.value, counts: counts, finding: finding)
    }
    return History(steps: step, digest: digest.value, counts: counts, finding: nil)
  }
}
