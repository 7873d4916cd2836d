import Credits
import Glibc

@main struct M {
  static func main() async throws {
    let path = "/tmp/smoke/store"
    _ = unsafe system("rm -rf /tmp/smoke; mkdir -p /tmp/smoke")
    var store = try CreditStore.open(at: path)
    let alice = try await store.open("user_alice")
    try await store.grant(500, to: alice, source: .purchase("order-17"), request: "order-17")
    print(try await store.debit(3.5, from: alice, request: "req-1"))
    print(try await store.debit(3.5, from: alice, request: "req-1"))
    print(try await store.debit(4.5, from: alice, request: "req-1"))
    print(try await store.debit(3000, from: alice, request: "req-2"))
    print(try await store.debit(3000, from: "bob", request: "req-2"))
    print(try store.balance(of: alice) as Any)
    try await store.close()
    store = try CreditStore.open(at: path)
    print(try await store.debit(3.5, from: alice, request: "req-1"))
    print(try await store.history(of: alice))
    print(try await store.explain("req-1", of: alice) as Any)
    print(try await store.verify())
    print(try store.statistics())
    let n = 1_000_000
    let t0 = ContinuousClock.now
    for base in stride(from: 0, to: n, by: 8192) {
      await withTaskGroup(of: Void.self) { g in
        for i in base..<min(base + 8192, n) { g.addTask { [store] in
          let id = AccountID(UInt64(i + 1))
          _ = try! await store.open(id)
          try! await store.grant(1_000_000, to: id, source: .promotion("x"), request: RequestID(1))
        } }
      }
    }
    print("accounts", ContinuousClock.now - t0)
    for round in 0..<3 {
      let t1 = ContinuousClock.now
      await withTaskGroup(of: Void.self) { g in
        for w in 0..<4 { g.addTask { [store] in
          var rng = SystemRandomNumberGenerator()
          var batch: [Debit] = []
          for b in 0..<200 {
            batch.removeAll(keepingCapacity: true)
            for i in 0..<8192 { batch.append(Debit(1, from: AccountID(rng.next() % UInt64(n) + 1), request: RequestID(high: UInt64(w + 1 + 10 * round), low: UInt64(b * 8192 + i)))) }
            _ = try! await store.debit(batch)
          }
        } }
      }
      let d = ContinuousClock.now - t1
      print("batches", 4 * 200 * 8192, d, Double(4 * 200 * 8192) / (Double(d.components.seconds) + Double(d.components.attoseconds) / 1e18))
    }
    print(try store.statistics())
    let t2 = ContinuousClock.now
    try await store.close()
    print("close", ContinuousClock.now - t2)
    let t3 = ContinuousClock.now
    store = try CreditStore.open(at: path)
    print("open", ContinuousClock.now - t3)
    let t4 = ContinuousClock.now
    print(try await store.verify())
    print("verify", ContinuousClock.now - t4)
    try await store.close()
  }
}
