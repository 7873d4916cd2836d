internal import Foundation
internal import Glibc

/// The machine that figures are measured on, and its counters.
package enum Machine {
  /// The processor time that this process has used, in seconds.
  package static var ownSeconds: Double {
    var time = timespec()
    // Safe: the call fills a local value.
    unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// The processor time that all processes have used since the machine was started, in seconds.
  package static var allSeconds: Double {
    let fields = lines("/proc/stat").first?.split(separator: " ").dropFirst().compactMap { Double($0) } ?? []
    // User, nice and system time, interrupts and stolen time; not idle time and waiting for disks.
    let ticks = [0, 1, 2, 5, 6, 7].reduce(0.0) { $0 + ($1 < fields.count ? fields[$1] : 0) }
    return ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  /// The processor time of some processes and of their children, those that have ended included, in seconds.
  package static func seconds(of servers: [Int32]) -> Double {
    guard !servers.isEmpty else { return 0 }
    var ticks = 0.0
    for process in family(of: servers) {
      // After the name: state, parent, ...; user and system time are fields 11 and 12 from there.
      let fields = afterName(process)
      ticks += fields.dropFirst(11).prefix(2).compactMap { Double($0) }.reduce(0, +)
      // Fields 13 and 14 are those of its children that have ended.
      if servers.contains(process) { ticks += fields.dropFirst(13).prefix(2).compactMap { Double($0) }.reduce(0, +) }
    }
    return ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  /// The bytes of memory of this process and of some servers that belong to no file.
  package static func memory(with servers: [Int32] = []) -> Int {
    var total = anonymous("/proc/self/status")
    for process in family(of: servers) { total += anonymous("/proc/\(process)/status") }
    return total
  }

  /// The bytes that were ever written to the block device that holds a folder, by all processes; nil if it has no
  /// counters.
  package static func bytesWritten(under folder: String) -> Int? {
    guard let device = blockDevice(of: folder) else { return nil }
    let fields = lines("/sys/dev/block/\(device)/stat").first?.split(separator: " ") ?? []
    return fields.count > 6 ? Int(fields[6]).map { $0 * 512 } : nil
  }

  /// The major and minor number of the block device that holds a folder.
  static func blockDevice(of folder: String) -> String? {
    var status = stat()
    // Safe: the path is terminated and outlives the call, which fills a local value.
    guard unsafe stat(folder, &status) == 0 else { return nil }
    let device = UInt64(status.st_dev)
    let major = device >> 8 & 0xFFF | device >> 32 & 0xFFFF_F000
    let minor = device & 0xFF | device >> 12 & 0xFFFF_FF00
    return "\(major):\(minor)"
  }

  private static func family(of servers: [Int32]) -> [Int32] {
    guard !servers.isEmpty else { return [] }
    let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { Int32($0) } ?? []
    return all.filter { process in
      servers.contains(process)
        || afterName(process).dropFirst().first.flatMap { Int32($0) }.map(servers.contains) == true
    }
  }

  /// The fields of a process after its name, which may hold blanks and parentheses.
  private static func afterName(_ process: Int32) -> [Substring] {
    lines("/proc/\(process)/stat").first?.split(separator: ")").last?.split(separator: " ") ?? []
  }

  private static func anonymous(_ path: String) -> Int {
    let line = lines(path).first { $0.hasPrefix("RssAnon") }
    return (line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
  }

  /// The lines of a file of the kernel, whose size is not known before it is read.
  static func lines(_ path: String) -> [Substring] {
    guard let handle = FileHandle(forReadingAtPath: path), let data = try? handle.readToEnd() else { return [] }
    return String(decoding: data, as: UTF8.self).split(separator: "\n")
  }
}
