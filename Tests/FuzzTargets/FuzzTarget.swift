/// What can be fed with bytes that a fuzzer makes.
///
/// Any bytes are an input. An input that shows a mistake makes the run throw, or ends the process.
public enum FuzzTarget: String, CaseIterable, Sendable {
  /// Operations on a store and on the reference ledger, compared after every one.
  case model
  /// Whatever is decoded from the journal and from images.
  case journal
  /// A valid store with values that were changed.
  case files
  /// Price books, catalogues, usage logs, numbers, times, and the arguments of `creditctl`.
  case inputs

  /// Runs one input on the caller's own thread, the same way every time; throws what is wrong.
  public func run(_ input: [UInt8]) throws {
    switch self {
    case .model: try ModelTarget.run(input)
    case .journal: try JournalTarget.run(input)
    case .files: try FilesTarget.run(input)
    case .inputs: try InputsTarget.run(input)
    }
  }

  /// Inputs to begin with, by name.
  public func seeds() throws -> [(name: String, bytes: [UInt8])] {
    switch self {
    case .model: ModelTarget.seeds
    case .journal: try JournalTarget.seeds()
    case .files: FilesTarget.seeds
    case .inputs: InputsTarget.seeds
    }
  }
}

/// What is wrong, in words.
struct Finding: Error, CustomStringConvertible {
  let description: String
}

/// Throws a finding unless something is as it should be.
func demand(_ isTrue: Bool, _ finding: @autoclosure () -> String) throws(Finding) {
  if !isTrue { throw Finding(description: finding()) }
}
