import ArgumentParser
import Credits
import Glibc

/// The options that every command with a store has.
struct StoreOptions: ParsableArguments {
  @Option(name: .long, help: ArgumentHelp("The store's folder; else that of CREDITS_STORE.", valueName: "path"))
  var store: String?

  @Flag(name: .long, help: "Print JSON for machines.")
  var json = false

  /// The store's folder.
  func path() throws -> String {
    if let store, !store.isEmpty { return store }
    // Safe: nothing in this program changes the environment.
    if let value = unsafe getenv("CREDITS_STORE"), case let path = unsafe String(cString: value), !path.isEmpty {
      return path
    }
    throw UsageFailure(sentence: "no store is named; give --store PATH, or set CREDITS_STORE")
  }

  /// Opens the store for reading, also while a service has it open.
  func reader() throws -> CreditReader { try CreditReader.open(at: try path()) }

  /// Opens the store for changes; it must exist unless it may be created.
  func opened(_ creation: Settings.Creation = .never, _ adjust: (inout Settings) -> Void = { _ in }) throws
    -> CreditStore
  {
    var settings = Settings()
    settings.creation = creation
    adjust(&settings)
    return try CreditStore.open(at: try path(), settings: settings)
  }

  /// Opens the store for changes, does some work with it and closes it, whatever happens.
  func changing<R>(
    _ creation: Settings.Creation = .never, adjust: (inout Settings) -> Void = { _ in },
    _ work: (CreditStore) async throws -> R
  ) async throws -> R {
    let store = try opened(creation, adjust)
    let result: R
    do {
      result = try await work(store)
    } catch {
      try? await store.close()
      throw error
    }
    try await store.close()
    return result
  }

  /// Prints an object for machines or lines for people; nothing in a line can steer a terminal or begin another line.
  func print(_ object: @autoclosure () throws -> JSON, _ lines: @autoclosure () throws -> [String]) throws {
    if json {
      try Output.standard.line(try object().text)
    } else {
      try Output.standard.lines(try lines().map(\.escapedForTerminal))
    }
    try Output.standard.flush()
  }
}
