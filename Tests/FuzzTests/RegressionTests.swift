import CreditsTesting
import Dispatch
import FuzzTargets
import Glibc
import Testing

/// The inputs that fuzzers begin with, and those that once showed a mistake, run without a fuzzer.
@Suite("Inputs of the fuzzers", .serialized)
struct RegressionTests {
  /// The folder of the fuzzers' package.
  private static let folder: String = {
    let parts = "\(#filePath)".split(separator: "/", omittingEmptySubsequences: false)
    return parts.dropLast(3).joined(separator: "/") + "/fuzz"
  }()

  private static func names(in folder: String) -> [String] {
    TemporaryStore.names(in: folder).filter { !$0.hasPrefix(".") }.sorted()
  }

  private static func bytes(of path: String) -> [UInt8] {
    guard let file = unsafe fopen(path, "r") else { return [] }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while case let count = unsafe fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk.prefix(count) }
    return bytes
  }

  @Test("show no mistake", arguments: FuzzTarget.allCases)
  func inputs(target: FuzzTarget) async {
    // On a thread of its own: those that tasks share must not wait.
    let (count, mistakes) = await withCheckedContinuation { continuation in
      DispatchQueue(label: "inputs").async { continuation.resume(returning: RegressionTests.runAll(target)) }
    }
    for mistake in mistakes { Issue.record("\(mistake)") }
    #expect(count >= 20, "the inputs are not found")
  }

  /// Runs all inputs of a target; answers how many there are, and what they show.
  private static func runAll(_ target: FuzzTarget) -> (count: Int, mistakes: [String]) {
    var (count, mistakes) = (0, [String]())
    for kind in ["corpus", "regressions"] {
      let folder = "\(RegressionTests.folder)/\(kind)/\(target)"
      for name in RegressionTests.names(in: folder) {
        do { try target.run(RegressionTests.bytes(of: folder + "/" + name)) } catch {
          mistakes.append("\(kind)/\(target)/\(name): \(error)")
        }
        count += 1
      }
    }
    return (count, mistakes)
  }

  @Test("are those that the targets make to begin with", arguments: FuzzTarget.allCases)
  func seeds(target: FuzzTarget) throws {
    for seed in try target.seeds() {
      let path = "\(RegressionTests.folder)/corpus/\(target)/\(seed.name)"
      #expect(RegressionTests.bytes(of: path) == seed.bytes, "\(path); make fuzz-seeds writes it anew")
    }
  }
}
