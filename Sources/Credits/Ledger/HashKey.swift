/// The secret of a store by which ids are spread over its tables, so that nobody who picks ids can make them collide.
///
/// Hashing is two rounds of a folded 64 x 64 -> 128 bit multiplication. It is fast, and safe enough as long as neither
/// the key nor hashes leave the store; it is no cryptographic function.
package struct HashKey: Hashable, Sendable {
  package let first: UInt64
  package let second: UInt64
  package let third: UInt64

  /// Makes a key of three words.
  package init(_ first: UInt64, _ second: UInt64, _ third: UInt64) {
    self.first = first
    self.second = second
    self.third = third
  }

  /// Makes a new random key.
  package static func random() -> HashKey {
    HashKey(.random(in: 1 ... .max), .random(in: 1 ... .max), .random(in: 1 ... .max))
  }

  /// The hash of an account.
  @inline(__always) package func hash(_ account: AccountID) -> UInt64 {
    fold(fold(account.high ^ first, account.low ^ second) ^ third, 0x9E37_79B9_7F4A_7C15)
  }

  /// The fingerprint of a request on an account whose hash is known.
  @inline(__always) package func fingerprint(_ request: RequestID, of account: UInt64) -> UInt64 {
    fold(fold(request.high ^ second ^ account, request.low ^ third) ^ first, 0xD6E8_FEB8_6659_FD93)
  }

  @inline(__always) private func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
  }
}
