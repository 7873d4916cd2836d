import Credits

/// How the program ends; thrown to end it with a code and no further words.
enum ExitStatus: Int32, Error {
  case done = 0
  /// The rules declined the request.
  case declined = 1
  /// The arguments, or an input file, cannot be used.
  case usage = 2
  /// The store could not do it.
  case store = 3
  /// A verification found a problem.
  case problem = 4
}

/// Something that ends a command: a sentence for people, a code for machines.
protocol Failure: Error {
  /// The stable name for machines.
  var code: String { get }
  /// What happened, to what, and what to do.
  var sentence: String { get }
  var status: ExitStatus { get }
}

extension StoreError: Failure {
  var sentence: String {
    if case .denied(let denial) = self { return "declined: \(denial.reason)" }
    return description
  }

  var status: ExitStatus {
    switch self {
    case .denied: .declined
    case .invalidArgument: .usage
    default: .store
    }
  }
}

/// Arguments or input that cannot be used.
struct UsageFailure: Failure {
  let code: String
  let sentence: String
  var status: ExitStatus { .usage }

  init(code: String = "usage", sentence: String) {
    self.code = code
    self.sentence = sentence
  }
}

/// Something asked for that the store does not have.
enum AbsenceFailure: Failure {
  case account(String)
  case request(String, of: String)
  case priceBook
  case priceVersion(UInt32, of: Int)
  case charge(UInt32, of: String)
  case consumer(String)

  var code: String {
    switch self {
    case .account: "unknown-account"
    case .request: "unknown-request"
    case .priceBook, .priceVersion: "no-price"
    case .charge: "no-charge"
    case .consumer: "unknown-consumer"
    }
  }

  var sentence: String {
    switch self {
    case .account(let name):
      "there is no account \(name) in the store; check the name, or open it with 'creditctl open'"
    case .request(let request, let name):
      "account \(name) has no request \(request); 'creditctl history --requests' lists those it has"
    case .priceBook: "no price book is in force; publish one with 'creditctl price publish'"
    case .priceVersion(let version, let count):
      "there is no version \(version) of the price book; 'creditctl price list' shows the \(count) there are"
    case .charge(let number, let name): "account \(name) has no charge \(number), or it is outside retention"
    case .consumer(let name): "there is no consumer \(name); add it with 'creditctl events add'"
    }
  }

  var status: ExitStatus { .declined }
}

/// A file other than the store that could not be written.
struct WriteFailure: Failure {
  let path: String
  let reason: String
  var code: String { "write-failed" }
  var sentence: String { "writing \(path) failed: \(reason); make room or name another place" }
  var status: ExitStatus { .store }
}
