import ArgumentParser
import Credits

struct WatchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Print the balance of an account whenever it changes.",
    discussion: """
      Follows the store while a service has it open, until it is interrupted. The newest balance wins: changes that come \
      faster than the interval are seen together.

        creditctl watch user_alice
        creditctl watch user_alice --for 10s --interval 100ms --json
      """)

  @OptionGroup var options: StoreOptions
  @OptionGroup var pace: PaceOptions

  @Argument(help: "The account.")
  var account: AccountArgument

  func run() async throws {
    let reader = try options.reader()
    let clock = ContinuousClock()
    let end = pace.span.map { clock.now + $0 }
    var seen: Balance?
    var left = pace.count ?? .max
    while true {
      guard let balance = try reader.balance(of: account.id) else { throw AbsenceFailure.account(account.name) }
      if balance != seen {
        try show(balance, since: seen)
        seen = balance
        left -= 1
      }
      if left == 0 { return }
      if let end, clock.now + pace.interval > end { return }
      try await clock.sleep(for: pace.interval)
    }
  }

  private func show(_ balance: Balance, since seen: Balance?) throws {
    let now = Timestamp.now
    let change = seen.map { Int128(balance.available.millionths) - Int128($0.available.millionths) }
    let text = change.map { "  " + ($0 > 0 ? "+" : "") + $0.credits } ?? ""
    let held = balance.held > .zero ? "  held \(balance.held.grouped)" : ""
    try options.print(
      [
        "time": .text(now), "account": .text(account.id), "available": .text(balance.available),
        "held": .text(balance.held), "version": .number(balance.version.value),
      ],
      ["\(now.brief)  available \(balance.available.grouped)\(held)\(text)"])
  }
}
