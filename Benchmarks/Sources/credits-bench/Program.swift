import ArgumentParser

/// Measures the store: its targets, its curves, its peers, its endurance.
@main
struct Program: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "credits-bench",
    abstract: "Measure the store of credits on this machine, and its peers beside it.",
    discussion: """
      Stores are made in a folder of their own under --folder, which is removed in the end: put it on the disk that counts. \
      Every command prints Markdown and writes it, JSON, and its charts into --output.

      Each figure is the median of several runs. What other processes used of the processors is recorded in each run; \
      a run that they disturbed is repeated, up to a limit, and marked where that did not help.
      """,
    subcommands: [
      TargetsCommand.self, LoadCommand.self, PeersCommand.self, LimitsCommand.self, SoakCommand.self,
      ChildCommand.self,
    ])
}

/// Something that keeps a measurement from being made, in a sentence.
struct Problem: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
