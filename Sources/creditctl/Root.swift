import ArgumentParser

/// The root of all subcommands.
struct Root: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "creditctl",
    abstract: "Keep prepaid credits in an embedded store: exact, durable, each request once.",
    discussion: """
      Name the store with --store PATH, or once with CREDITS_STORE in the environment.

        ACCOUNT   user_alice, uuid:018f6e2a-…, int:42; text:… takes any text as it is
        REQUEST   the same forms; one id has one outcome, so that a command can be
                  repeated safely; without --request a new id is made and printed
        AMOUNT    an exact decimal, down to a millionth: 3.5
        TIME      UTC, as 2026-11-22T22:17:45Z, or a duration: 45s 15m 12h 30d 2w
        MONEY     with all decimals and the currency: "20.00 USD"

      Reading commands (balance, history, explain, watch, stats, verify, export, and show, list, quote, read and follow of \
      others) work while a service has the store open; changing commands do not, since one process writes at a time.

      With --json every command prints one object, or one a line, with stable keys: amounts are strings of exact \
      decimals, times are UTC, an error is {"error":{"code":…,"message":…}}.

      Completions for your shell: creditctl --generate-completion-script bash, zsh or fish.

      Exit codes:
        0   done
        1   declined by the rules: insufficient credits, frozen, conflict, unknown, …
        2   usage: wrong arguments, or an input file that cannot be used
        3   the store: locked, not found, corrupt, disk full, …
        4   verify found a problem, also where replay or demo verify at their end
      """,
    version: "0.1.0",
    groupedSubcommands: [
      CommandGroup(
        name: "Changing accounts",
        subcommands: [
          OpenCommand.self, GrantCommand.self, DebitCommand.self, HoldCommand.self, CaptureCommand.self,
          ReleaseCommand.self, CorrectCommand.self, FreezeCommand.self, UnfreezeCommand.self, CloseCommand.self,
        ]),
      CommandGroup(
        name: "Prices, plans and payment",
        subcommands: [
          PriceCommand.self, PlanCommand.self, AlertCommand.self, RefillCommand.self, PacksCommand.self,
          BuyCommand.self, MethodCommand.self, DisputeCommand.self,
        ]),
      CommandGroup(
        name: "Reading",
        subcommands: [
          BalanceCommand.self, HistoryCommand.self, ExplainCommand.self, WatchCommand.self, EventsCommand.self,
        ]),
      CommandGroup(
        name: "Looking after a store",
        subcommands: [
          VerifyCommand.self, StatsCommand.self, ExportCommand.self, BackupCommand.self, TrimCommand.self,
        ]),
      CommandGroup(
        name: "Demonstration and load",
        subcommands: [DemoCommand.self, ReplayCommand.self, GenerateCommand.self]),
    ])
}
