import CrashSupport
import Credits

/// What the children of one store asked for and what they were answered: what the store must know.
struct Book {
  private(set) var asked: [Operation.Key: Operation] = [:]
  private(set) var answered: [Operation.Key: Reply] = [:]
  /// The operations that were answered since the last audit.
  private(set) var fresh: [Operation.Key] = []
  /// What children said was wrong.
  private(set) var troubles: [String] = []

  mutating func note(_ lines: [Line]) {
    for line in lines {
      switch line {
      case .asked(let operation): asked[operation.key] = operation
      case .answered(let key, let reply): answer(key, reply)
      case .step: break
      case .trouble(let text): troubles.append(text)
      }
    }
  }

  mutating func answer(_ key: Operation.Key, _ reply: Reply) {
    answered[key] = reply.outcome
    fresh.append(key)
  }

  /// The operations whose answer never came.
  var unanswered: [Operation] { asked.values.filter { answered[$0.key] == nil } }

  mutating func audited() { fresh.removeAll() }
}
