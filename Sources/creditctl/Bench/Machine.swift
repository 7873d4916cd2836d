import Glibc

/// The machine that figures were measured on, and what it did meanwhile.
enum Machine {
  /// Processor, cores, memory and kernel in a line.
  static var description: String {
    let model =
      lines("/proc/cpuinfo").first { $0.hasPrefix("model name") }?.split(separator: ":").last ?? "unknown processor"
    let memory = lines("/proc/meminfo").first?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    let kernel = lines("/proc/version").first?.split(separator: " ").dropFirst(2).first ?? "unknown"
    let cores = sysconf(Int32(_SC_NPROCESSORS_ONLN))
    let name = model.drop { $0 == " " }
    return "\(name), \(cores) cores, \(memory >> 20) GiB, Linux \(kernel)"
  }

  /// The processor time that this process has used, in seconds.
  static var ownSeconds: Double {
    // The name, in parentheses, may hold blanks; user and system time are the twelfth and thirteenth field after it.
    let fields = lines("/proc/self/stat").first?.split(separator: ")").last?.split(separator: " ") ?? []
    let ticks = fields.dropFirst(11).prefix(2).compactMap { Double($0) }.reduce(0, +)
    return ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  /// The processor time that all processes have used since the machine was started, in seconds.
  static var allSeconds: Double {
    let fields = lines("/proc/stat").first?.split(separator: " ").dropFirst().compactMap { Double($0) } ?? []
    // User, nice and system time, interrupts and stolen time; not idle time and waiting for disks.
    let ticks = [0, 1, 2, 5, 6, 7].reduce(0.0) { $0 + ($1 < fields.count ? fields[$1] : 0) }
    return ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  /// The bytes of memory of this process that belong to no file.
  static var ownMemory: Int {
    let line = lines("/proc/self/status").first { $0.hasPrefix("RssAnon") }
    return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
  }

  /// The bytes that were ever written to the block device that holds a folder, by all processes; nil if it has no
  /// counters.
  static func bytesWritten(under folder: String) -> Int? {
    var status = stat()
    guard unsafe stat(folder, &status) == 0 else { return nil }
    let device = UInt64(status.st_dev)
    let major = device >> 8 & 0xFFF | device >> 32 & 0xFFFF_F000
    let minor = device & 0xFF | device >> 12 & 0xFFFF_FF00
    let fields = lines("/sys/dev/block/\(major):\(minor)/stat").first?.split(separator: " ") ?? []
    return fields.count > 6 ? Int(fields[6]).map { $0 * 512 } : nil
  }

  private static func lines(_ path: String) -> [Substring] {
    guard let file = unsafe fopen(path, "r") else { return [] }
    defer { unsafe fclose(file) }
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = unsafe fread(&buffer, 1, buffer.count, file)
      guard count > 0 else { break }
      text += buffer[..<count]
    }
    return String(decoding: text, as: UTF8.self).split(separator: "\n")
  }
}
