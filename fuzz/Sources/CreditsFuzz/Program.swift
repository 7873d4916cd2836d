internal import FuzzTargets
internal import Glibc

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<Int32>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
  _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

/// The fuzzer of the target that `CREDITS_FUZZ_TARGET` names; its arguments are libFuzzer's. With `seeds FOLDER` it
/// writes inputs to begin with, one folder for each target.
@main
struct Program {
  /// Which target is fuzzed.
  // Safe: the environment is not changed while the process runs.
  private static let target = unsafe getenv("CREDITS_FUZZ_TARGET").flatMap {
    FuzzTarget(rawValue: unsafe String(cString: $0))
  }

  static func main() {
    if CommandLine.arguments.dropFirst().first == "seeds" { writeSeeds(to: CommandLine.arguments.last ?? "") }
    guard target != nil else {
      let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: ", ")
      complain("set CREDITS_FUZZ_TARGET to one of \(names)")
      exit(2)
    }
    var count = CommandLine.argc
    // Safe: the arguments live as long as the process, and libFuzzer's driver does not keep the pointers to these two.
    var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
    let code = unsafe runDriver(&count, &arguments) { start, count in
      unsafe Program.run(Array(UnsafeBufferPointer(start: start, count: count)))
      return 0
    }
    exit(code)
  }

  /// Runs one input, and ends the process if something is wrong.
  private static func run(_ input: [UInt8]) {
    guard let target else { return }
    do {
      try target.run(input)
    } catch {
      complain("target \(target): \(error)")
      abort()
    }
  }

  private static func writeSeeds(to folder: String) -> Never {
    do {
      for target in FuzzTarget.allCases {
        for seed in try target.seeds() { write(seed.bytes, to: "\(folder)/\(target)/\(seed.name)") }
      }
      exit(0)
    } catch {
      complain("the inputs cannot be made: \(error)")
      exit(1)
    }
  }

  private static func write(_ bytes: [UInt8], to path: String) {
    // Safe: the path is a terminated string that outlives the calls, and the count is the array's own.
    guard let file = unsafe fopen(path, "w") else {
      complain("\(path) cannot be written")
      exit(1)
    }
    unsafe fwrite(bytes, 1, bytes.count, file)
    unsafe fclose(file)
  }

  private static func complain(_ text: String) {
    let line = "credits-fuzz: " + text + "\n"
    // Safe: the text outlives the call, and the count is its own.
    _ = unsafe Glibc.write(STDERR_FILENO, line, line.utf8.count)
  }
}
