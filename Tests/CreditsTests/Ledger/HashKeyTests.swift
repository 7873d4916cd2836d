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
