internal import Foundation
internal import Glibc

/// Where and how a report was made.
package struct Surroundings: Codable, Hashable, Sendable {
  package var processor = ""
  package var cores = 0
  package var memory = ""
  package var kernel = ""
  package var disk = ""
  package var fileSystem = ""
  package var compiler = ""
  package var commit = ""
  package var command = ""
  package var date = ""

  package init() {}

  /// What is the case now, for stores in a folder.
  ///
  /// The commit comes from `BENCH_COMMIT` where it is set, else from git.
  package static func now(folder: String, arguments: [String] = CommandLine.arguments) -> Surroundings {
    var here = Surroundings()
    let model = Machine.lines("/proc/cpuinfo").first { $0.hasPrefix("model name") }?.split(separator: ":").last
    here.processor = model.map { String($0.drop { $0 == " " }) } ?? "unknown processor"
    here.cores = sysconf(Int32(_SC_NPROCESSORS_ONLN))
    let kibibytes = Machine.lines("/proc/meminfo").first?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    here.memory = bytes((kibibytes ?? 0) * 1024)
    here.kernel = "Linux " + (Machine.lines("/proc/version").first?.split(separator: " ").dropFirst(2).first ?? "?")
    (here.disk, here.fileSystem) = storage(folder)
    #if compiler(>=6.4)
      here.compiler = "Swift 6.4 or later"
    #elseif compiler(>=6.3)
      here.compiler = "Swift 6.3"
    #else
      here.compiler = "Swift 6.2"
    #endif
    here.commit =
      ProcessInfo.processInfo.environment["BENCH_COMMIT"] ?? output(["git", "describe", "--always", "--dirty"])
      ?? "unknown"
    let name = arguments.first?.split(separator: "/").last.map(String.init) ?? ""
    here.command = ([name] + arguments.dropFirst()).joined(separator: " ")
    let format = ISO8601DateFormatter()
    here.date = format.string(from: Date())
    return here
  }

  /// The disk, as its queue describes it, and the file system that hold a folder.
  private static func storage(_ folder: String) -> (disk: String, fileSystem: String) {
    guard let number = Machine.blockDevice(of: folder) else { return ("unknown", "unknown") }
    let device = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/sys/dev/block/\(number)")) ?? ""
    let name = device.split(separator: "/").last.map(String.init) ?? "no block device"
    let base = "/sys/dev/block/\(number)"
    func first(_ path: String) -> String? { Machine.lines("\(base)/\(path)").first.map(String.init) }
    var parts = [name]
    if let model = first("device/model") { parts.append(model.trimmingCharacters(in: .whitespaces)) }
    if let sectors = first("size").flatMap({ Int($0) }) { parts.append(bytes(sectors * 512)) }
    if let scheduler = first("queue/scheduler") { parts.append("scheduler \(scheduler)") }
    if let cache = first("queue/write_cache") { parts.append(cache) }
    // The mount whose device has this number: the third field; the type follows the hyphen.
    let mount = Machine.lines("/proc/self/mountinfo").last {
      $0.split(separator: " ").dropFirst(2).first == number[...]
    }
    let type = mount?.split(separator: " ").drop { $0 != "-" }.dropFirst().first
    return (parts.joined(separator: ", "), type.map(String.init) ?? "unknown")
  }

  /// What a command prints, without the line's end; nil if it cannot be run or fails.
  private static func output(_ command: [String]) -> String? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { return nil }
    return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// The machine in a line.
  package var machine: String { "\(processor), \(cores) cores, \(memory), \(kernel)" }
}
