import Testing

@testable import Credits

@Suite("Hash keys")
struct HashKeyTests {
  @Test("ids in a row spread evenly over the stripes, under any key", arguments: 0..<4)
  func spread(_ round: Int) {
    let key = round == 0 ? HashKey(1, 2, 3) : .random()
    var counts = [Int](repeating: 0, count: Stripe.count)
    for id in UInt64(0)..<64_000 { counts[Int(key.hash(AccountID(id)) >> 58)] += 1 }
    #expect(counts.allSatisfy { $0 > 700 && $0 < 1_300 }, "\(counts)")
  }

  @Test("whoever picks ids that meet in one stripe under one key finds them spread out under another")
  func chosen() {
    let (known, secret) = (HashKey(1, 2, 3), HashKey.random())
    // Ids that vary in the upper half only, in the lower half only, and in both.
    for shape in 0..<3 {
      var picked: [AccountID] = []
      var number: UInt64 = 0
      while picked.count < 1_280 {
        number += 1
        let id = AccountID(high: shape == 1 ? 7 : number, low: shape == 0 ? 7 : number)
        if known.hash(id) >> 58 == 0 { picked.append(id) }
      }
      var counts = [Int](repeating: 0, count: Stripe.count)
      for id in picked { counts[Int(secret.hash(id) >> 58)] += 1 }
      #expect((counts.max() ?? 0) < 60, "shape \(shape): \(counts)")
    }
  }

  @Test("each store draws a key of its own and keeps it")
  func drawn() throws {
    let (first, second) = (StoreFixture(), StoreFixture())
    let (one, two) = (try first.open(), try second.open())
    let key = one.engine.key
    #expect(key != two.engine.key && key.first != 0 && key.second != 0 && key.third != 0)
    one.engine.close()
    two.engine.close()
    let again = try first.open()
    #expect(again.engine.key == key)
    again.engine.close()
  }

  @Test("a fingerprint depends on key, account and request")
  func fingerprints() {
    let key = HashKey.random()
    let (first, second) = (key.hash(AccountID(1)), key.hash(AccountID(2)))
    #expect(key.fingerprint(RequestID(1), of: first) == key.fingerprint(RequestID(1), of: first))
    #expect(key.fingerprint(RequestID(1), of: first) != key.fingerprint(RequestID(2), of: first))
    #expect(key.fingerprint(RequestID(1), of: first) != key.fingerprint(RequestID(1), of: second))
    #expect(HashKey.random().hash(AccountID(1)) != first)
  }
}
