import LMDB
import Testing

@testable import Credits

@Suite("Checksums")
struct ChecksumTests {
  struct Vector: Sendable {
    let count: Int
    let seed: UInt64
    let checksum: UInt64
    init(_ count: Int, _ seed: UInt64, _ checksum: UInt64) {
      (self.count, self.seed, self.checksum) = (count, seed, checksum)
    }
  }

  /// Of bytes `7 i + 3`, worked out with the reference implementation (xxHash 0.8, `XXH64`).
  static let vectors = [
    Vector(0, 0, 0xEF46_DB37_51D8_E999), Vector(0, 2_654_435_761, 0xAC75_FDA2_929B_17EF),
    Vector(1, 0, 0x1F25_C8D0_BC1F_4BB6), Vector(1, 2_654_435_761, 0x79CF_94F5_ACE3_7FE1),
    Vector(3, 0, 0x31D2_363F_52E5_64C9), Vector(3, 2_654_435_761, 0x96D2_A5E5_83DD_D738),
    Vector(4, 0, 0x9BB6_4B7D_66EE_9FDA), Vector(4, 2_654_435_761, 0x4A86_2FBB_4B73_776E),
    Vector(5, 0, 0xC760_8EFD_DB70_51FE), Vector(5, 2_654_435_761, 0xF6CA_0217_9471_D4A8),
    Vector(7, 0, 0x9A7B_1499_59CE_60D8), Vector(8, 0, 0xDAB9_9D95_C6F9_0092),
    Vector(8, 2_654_435_761, 0xC6E7_5E2C_BD8E_07EE), Vector(12, 0, 0xD52E_4078_33AF_5133),
    Vector(14, 0, 0xC7F1_D4D0_ACFA_5A14), Vector(14, 2_654_435_761, 0x5134_1A13_8B09_8941),
    Vector(31, 0, 0xA2AA_5F33_CC4A_6119), Vector(31, 2_654_435_761, 0x3818_22F3_3376_D6B6),
    Vector(32, 0, 0x23C3_C17E_F790_FD97), Vector(32, 2_654_435_761, 0x9ABD_3154_70AC_276A),
    Vector(33, 0, 0x50A7_CFC7_BA58_8784), Vector(63, 0, 0x5E3E_54B4_31C7_493C),
    Vector(63, 2_654_435_761, 0x634D_A7D2_6597_9E61), Vector(64, 0, 0x0EB6_4B3E_F6EE_B01F),
    Vector(100, 0, 0xA61F_8D4C_170F_E531), Vector(222, 2_654_435_761, 0xA0E1_06FB_D1FD_FC38),
    Vector(1_000, 0, 0x5F23_5FA0_33F1_A3FB), Vector(1_000, 2_654_435_761, 0x8308_0310_EE83_CC20),
  ]

  @Test("the checksum is XXH64", arguments: vectors)
  func vector(_ vector: Vector) {
    let bytes = (0..<vector.count).map { UInt8(truncatingIfNeeded: $0 * 7 + 3) }
    #expect(Checksum.of(bytes.span.rawBytes, seed: vector.seed) == vector.checksum)
  }

  @Test("the published checksums of short texts agree")
  func texts() {
    #expect(Checksum.of(Array("abc".utf8).span.rawBytes) == 0x44BC_2CF5_AD77_0999)
    #expect(Checksum.of(Array("xxhash".utf8).span.rawBytes) == 0x32DD_3895_2C4B_C720)
  }

  @Test("one flipped bit anywhere changes the checksum")
  func flips() {
    var bytes = [UInt8](repeating: 0x5A, count: 77)
    let whole = Checksum.of(bytes.span.rawBytes)
    for bit in 0..<77 * 8 {
      bytes[bit / 8] ^= 1 << (bit % 8)
      #expect(Checksum.of(bytes.span.rawBytes) != whole)
      bytes[bit / 8] ^= 1 << (bit % 8)
    }
  }
}
