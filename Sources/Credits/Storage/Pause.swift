/// The pause between two small commits in which the callers of the first come back, so that the second takes them all.
///
/// Half of them would otherwise wait for each commit, whose syncs cost the same for half as many. Callers who do not
/// come back in time cost all others the pause, so after each miss twice as many commits go without one.
struct Pause {
  private var length = Duration.zero
  private var misses = 0
  private var skipped = 0

  /// The most commits that go without a pause after misses, as a power of two.
  private static let mostMisses = 6

  /// Takes note of how long a commit took, and whether it was small, so that its syncs took most of that.
  mutating func note(commit: Duration, isSmall: Bool) { length = isSmall ? commit / 2 : .zero }

  /// Lets the callers of the last commit come back, for half of the time that it took.
  mutating func gather(_ queue: FrameQueue) {
    guard length > .zero else { return }
    if skipped < 1 << misses - 1 {
      skipped += 1
    } else {
      misses = queue.gather(atMost: length) ? 0 : min(misses + 1, Pause.mostMisses)
      skipped = 0
    }
    length = .zero
  }
}
