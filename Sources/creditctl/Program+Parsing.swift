import ArgumentParser
import Credits

/// What the program does with what it is given before it touches a store: for whoever wants to try that alone.
extension Program {
  /// Parses arguments without doing what they say: nil if they make a command or ask for help, and else the whole text
  /// that the program would print.
  package static func complaint(about arguments: [String]) -> String? {
    do {
      _ = try Root.parseAsRoot(arguments)
      return nil
    } catch let failure as any Failure {
      return failure.sentence
    } catch {
      let failure = parsing(error, arguments, isJSON: false)
      return failure.status == .done ? nil : failure.sentence
    }
  }

  /// Reads a usage log as a replay does, first all lines, then again to price them: the lines up to the first that
  /// cannot be used, and what is wrong with it, if there is one.
  package static func readUsage(_ path: String) -> (lines: [UsageLine], complaint: String?) {
    var lines: [UsageLine] = []
    do {
      let log = try UsageLog(path: path, columns: UsageColumns())
      while let line = try log.next() { lines.append(line) }
      let prices = try ReplayPrices(published: [], given: nil, now: .zero)
      try log.rewind()
      _ = try UsageCheck([log], prices)
      return (lines, nil)
    } catch {
      return (lines, (error as? any Failure)?.sentence ?? "\(error)")
    }
  }
}
