import ArgumentParser
import Credits

struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Replay the journal and compare it with everything that is stored.",
    discussion: """
      Checks checksums, the chain of blocks, every entry's balance, the images of accounts, and that granted = spent + \
      expired + available. Names the first entry that is wrong, and ends with exit code 4. Works while a service has the \
      store open.

        creditctl verify --store ./credits
      """)

  @OptionGroup var options: StoreOptions

  func run() async throws {
    let reader = try options.reader()
    let progress = Progress("verifying")
    let began = ContinuousClock.now
    let found: Verification
    do {
      found = try await reader.verify { progress.show($0) }
      progress.end()
    } catch {
      progress.end()
      throw error
    }
    try options.print(VerificationFormat.json(found), VerificationFormat.lines(found, began.duration(to: .now)))
    if found.problem != nil { throw ExitStatus.problem }
  }
}

/// The forms in which a verification is printed.
enum VerificationFormat {
  /// A verification as an object.
  static func json(_ found: Verification) -> JSON {
    let problem: JSON? = found.problem.map { problem in
      [
        "sequence": .number(problem.sequence.value), "account": .text(problem.account),
        "reason": .string(problem.reason),
      ]
    }
    return [
      "clean": .bool(found.problem == nil), "problem": problem ?? .null, "entries": .number(found.entries),
      "blocks": .number(found.blocks), "accounts": .number(found.accounts),
      "partial_accounts": .number(found.partialAccounts), "images": .number(found.images),
      "granted": .string(found.grantedMillionths.plainCredits), "spent": .string(found.spentMillionths.plainCredits),
      "expired": .string(found.expiredMillionths.plainCredits),
      "available": .string(found.availableMillionths.plainCredits),
    ]
  }

  /// A verification as sentences and a list of sums.
  static func lines(_ found: Verification, _ elapsed: Duration) -> [String] {
    if let problem = found.problem {
      return ["PROBLEM: \(problem)".escapedForTerminal, "the store is not what was written; restore a backup"]
    }
    let facts: [(name: String, value: String)] = [
      ("entries", "\(found.entries.grouped) in \(found.blocks.grouped) blocks"),
      ("accounts", found.accounts.grouped + partial(found)), ("images", found.images.grouped),
      ("granted", found.grantedMillionths.credits), ("spent", found.spentMillionths.credits),
      ("expired", found.expiredMillionths.credits), ("available", found.availableMillionths.credits),
    ]
    return Table.facts(facts) + ["everything agrees (\(elapsed.brief))"]
  }

  private static func partial(_ found: Verification) -> String {
    found.partialAccounts == 0 ? "" : ", and \(found.partialAccounts.grouped) whose beginning has been trimmed"
  }
}
