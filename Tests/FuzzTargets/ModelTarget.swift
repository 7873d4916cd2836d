internal import CreditsTesting

/// A real store and the reference ledger, side by side: what bytes are taken for is what `RandomWorkload` can do, all
/// verbs, times, reopenings and crashes, and everything is compared after every step.
enum ModelTarget {
  /// The most steps of a run.
  private static let mostSteps = 400

  static func run(_ input: [UInt8]) throws {
    guard let first = input.first else { return }
    var configuration = OracleRun.Configuration()
    configuration.accounts = 1 + Int(first % 6)
    // A store that forgets requests executes them again.
    if Canary.isPlanted { configuration.windowAge = .microseconds(1) }
    let (thread, chosen) = (OneThread(), configuration)
    try thread.run {
      var configuration = chosen
      configuration.thread = thread
      let run = try OracleRun(bytes: input.dropFirst(), configuration)
      try await run.run(steps: mostSteps)
    }
  }

  /// Choices at random, of several lengths.
  static var seeds: [(name: String, bytes: [UInt8])] {
    (0..<24).map { seed in
      var random = SplitMix64(seed: UInt64(seed))
      let bytes = (0..<(60 << (seed % 5))).map { _ in UInt8(random.below(256)) }
      return ("steps-\(seed)", [UInt8(seed % 6)] + bytes)
    }
  }
}
