import ArgumentParser
import Credits

/// The program: parses the arguments, runs one command, and turns whatever went wrong into a sentence and an exit code.
package enum Program {
  /// Does what the arguments say, and answers the exit code.
  package static func run(_ arguments: [String]) async -> Int32 {
    let isJSON = arguments.prefix { $0 != "--" }.contains("--json")
    do {
      var command = try Root.parseAsRoot(arguments)
      if var running = command as? any AsyncParsableCommand {
        try await running.run()
      } else {
        try command.run()
      }
      return ExitStatus.done.rawValue
    } catch let status as ExitStatus {
      return status.rawValue
    } catch let failure as any Failure {
      return report(failure, isJSON: isJSON)
    } catch {
      return report(parsing(error, arguments, isJSON: isJSON), isJSON: isJSON)
    }
  }

  private static func report(_ failure: any Failure, isJSON: Bool) -> Int32 {
    if let asked = failure as? Help {
      try? Output.standard.line(asked.text)
    } else if isJSON {
      try? Output.standard.line(JSON.failure(failure).text)
    } else if failure is Complaint {
      Output.note("creditctl: " + failure.sentence)
    } else {
      Output.complain(failure.sentence)
    }
    do {
      try Output.standard.flush()
    } catch {
      return ExitStatus.store.rawValue
    }
    return failure.status.rawValue
  }

  /// What the argument parser throws: a request for help or the version, or a complaint about the arguments.
  static func parsing(_ error: any Error, _ arguments: [String], isJSON: Bool) -> any Failure {
    let text = Root.fullMessage(for: error)
    if Root.exitCode(for: error) == .success { return Help(text: text) }
    let sentence = isJSON ? Root.message(for: error) : text
    return Complaint(
      sentence: onTheirLines(sentence.hasPrefix("Error: ") ? String(sentence.dropFirst(7)) : sentence, arguments))
  }

  /// A complaint of the argument parser in which arguments that it repeats begin no lines of their own.
  static func onTheirLines(_ sentence: String, _ arguments: [String]) -> String {
    var sentence = sentence
    for argument in arguments where argument.contains(where: \.isNewline) {
      let value = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).last.map(String.init)
      for text in [argument, value ?? ""] where text.contains(where: \.isNewline) {
        sentence = sentence.replacing(text, with: text.escapedForTerminal)
      }
    }
    return sentence
  }
}

/// What the argument parser complains of, in lines.
private struct Complaint: Failure {
  let sentence: String
  var code: String { "usage" }
  var status: ExitStatus { .usage }
}

/// The text of a help page or the version, as the argument parser throws it.
private struct Help: Failure {
  let text: String
  var code: String { "help" }
  var sentence: String { text }
  var status: ExitStatus { .done }
}
