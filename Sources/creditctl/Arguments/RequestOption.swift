import ArgumentParser
import Credits

/// The option that names the request of a changing command.
struct RequestOption: ParsableArguments {
  @Option(
    name: .long,
    help: "The idempotency key: repeating the command with it changes nothing. Default: a new one, printed.")
  var request: RequestArgument?

  /// The request given, or a new one.
  var resolved: RequestArgument { request ?? RequestArgument(new: .now) }
}
