import Credits

/// Makes up usage of a service with language models: the same lines for the same seed, on every machine.
///
/// Two thirds of the requests are chats (short context, long answer), the rest completions of code (long context, short
/// answer); they come in bursts. All arithmetic is on integers.
struct UsageGenerator {
  /// One line: the time in ticks of 100 ns since 1970, as finely as the logs of large services have it.
  struct Line: Equatable {
    let ticks: Int64
    let feature: String
    let context: UInt64
    let generated: UInt64
  }

  private var random: Mixer
  private var ticks: Int64

  /// Begins at a moment.
  init(seed: UInt64, start: Timestamp) {
    random = Mixer(seed: seed)
    ticks = start.microseconds * 10
  }

  /// The next line.
  mutating func next() -> Line {
    ticks += gap()
    let isChat = random.below(3) < 2
    return isChat
      ? Line(
        ticks: ticks, feature: "chat", context: spread(from: 20, doublings: 8), generated: spread(from: 8, doublings: 7)
      )
      : Line(
        ticks: ticks, feature: "code", context: spread(from: 200, doublings: 5),
        generated: spread(from: 4, doublings: 5))
  }

  /// A number from a base to the base doubled some times, with as many numbers in each doubling.
  private mutating func spread(from base: UInt64, doublings: UInt64) -> UInt64 {
    let low = base << random.below(doublings)
    return low + random.below(low)
  }

  /// The ticks to the next request: mostly little, now and then a pause.
  private mutating func gap() -> Int64 {
    let pause = random.below(20) == 0 ? random.below(40_000_000) : 0
    return Int64(1 + random.below(2_500_000) + pause)
  }
}

extension UsageGenerator.Line {
  /// The time as `2026-01-05 09:00:00.1234567`.
  var time: String {
    let seconds = Timestamp(seconds: ticks / 10_000_000)
    return seconds.brief + "." + String(ticks % 10_000_000 + 10_000_000).dropFirst()
  }

  /// The line as CSV.
  var csv: String { "\(time),\(feature),\(context),\(generated)" }

  /// The header of such lines.
  static let csvHeader = "TIMESTAMP,Feature,ContextTokens,GeneratedTokens"

  /// The line as an object.
  var json: JSON {
    [
      "TIMESTAMP": .string(time), "Feature": .string(feature), "ContextTokens": .number(context),
      "GeneratedTokens": .number(generated),
    ]
  }
}
