import Credits
import Glibc

struct Rng { var s: UInt64; mutating func next() -> UInt64 { s ^= s << 13; s ^= s >> 7; s ^= s << 17; return s &* 0x2545F4914F6CDD1D }
  mutating func below(_ n: Int) -> Int { Int((next().multipliedFullWidth(by: UInt64(n))).high) } }
func secs(_ d: Duration) -> Double { Double(d.components.seconds) + Double(d.components.attoseconds) / 1e18 }
func cpu() -> Double { var u = rusage(); unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &u); return Double(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + Double(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6 }
func report(_ name: String, _ n: Int, _ t0: ContinuousClock.Instant, _ c0: Double) {
  let d = secs(ContinuousClock.now - t0), c = cpu() - c0
  print(name, n, "wall", d, "rate/s", Int(Double(n) / d), "cpu ns/op", Int(c / Double(n) * 1e9))
}

@main struct M {
  static func main() async throws {
    let args = CommandLine.arguments
    let n = Int(args[1])!
    let modes = args[2...]
    let path = args.contains("shm") ? "/dev/shm/smoke/store" : "/tmp/smoke/store"
    _ = unsafe system("rm -rf \(path); mkdir -p /tmp/smoke /dev/shm/smoke")
    var settings = Settings()
    settings.residentAccounts = 2_000_000
    if args.contains("small") { settings.mapSize = 4 << 30; settings.residentAccounts = 50_000; settings.windowRequests = 200_000 }
    if args.contains("unsynced") { settings.durability = .unsynced }
    let store = try CreditStore.open(at: path, settings: settings)
    var t0 = ContinuousClock.now
    var c0 = cpu()
    for i in 0..<n {
      let id = AccountID(UInt64(i + 1))
      _ = try await store.open(id, acknowledge: .applied)
      try await store.grant(1_000_000, to: id, source: .promotion("x"), request: RequestID(1), acknowledge: .applied)
    }
    try await store.sync()
    report("accounts", 2 * n, t0, c0)
    for (k, mode) in modes.enumerated() {
      t0 = ContinuousClock.now
      c0 = cpu()
      switch mode {
      case "batch":
        let per = Int(args.last!) ?? 200
        await withTaskGroup(of: Void.self) { g in
          for w in 0..<4 { g.addTask {
            var rng = Rng(s: UInt64(w + 1 + k * 10) &* 0x9E3779B97F4A7C15)
            var batch: [Debit] = []
            for b in 0..<per {
              batch.removeAll(keepingCapacity: true)
              for i in 0..<8192 { batch.append(Debit(1, from: AccountID(UInt64(rng.below(n) + 1)), request: RequestID(high: UInt64(w + 1 + 10 * k), low: UInt64(b * 8192 + i)))) }
              _ = try! await store.debit(batch)
            }
          } }
        }
        report("batch", 4 * per * 8192, t0, c0)
      case "single":
        let per = Int(args.last!) ?? 200
        await withTaskGroup(of: Void.self) { g in
          for w in 0..<8192 { g.addTask {
            var rng = Rng(s: UInt64(w + 1 + k * 10000) &* 0x9E3779B97F4A7C15)
            for i in 0..<per {
              _ = try! await store.debit(1, from: AccountID(UInt64(rng.below(n) + 1)), request: RequestID(high: UInt64(w + 1 + 10000 * k), low: UInt64(i)))
            }
          } }
        }
        report("single", per * 8192, t0, c0)
      case "applied":
        let per = 4_000_000
        await withTaskGroup(of: Void.self) { g in
          for w in 0..<2 { g.addTask {
            var rng = Rng(s: UInt64(w + 1 + k * 10000) &* 0x9E3779B97F4A7C15)
            for i in 0..<per {
              _ = try! await store.debit(1, from: AccountID(UInt64(rng.below(n) + 1)), request: RequestID(high: UInt64(w + 1 + 10000 * k), low: UInt64(i)), acknowledge: .applied)
            }
          } }
        }
        report("applied", per * 2, t0, c0)
      case "read":
        let per = 10_000_000
        await Task.detached {
          var rng = Rng(s: 77)
          var sum: Int64 = 0
          for _ in 0..<per { sum &+= try! store.balance(of: AccountID(UInt64(rng.below(n) + 1)))!.available.millionths }
          if sum == 42 { print(sum) }
        }.value
        report("read", per, t0, c0)
      default: break
      }
    }
    try await store.close()
  }
}
