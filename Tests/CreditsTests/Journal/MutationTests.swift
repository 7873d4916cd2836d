import CreditsTesting
import LMDB
import Testing

@testable import Credits

/// Bytes that were changed at random are refused, or read as exactly what they say; they never end the program.
@Suite("Bytes changed at random")
struct MutationTests {
  /// Changes a few bytes.
  static func mutate(_ bytes: inout [UInt8], from first: Int = 0, _ random: inout SplitMix64) {
    for _ in 0...random.below(3) {
      let place = first + random.below(bytes.count - first)
      switch random.below(5) {
      case 0: bytes[place] ^= 1 << UInt8(random.below(8))
      case 1: bytes[place] = random.pick([0, 1, 0x7F, 0x80, 0xFF])
      case 2: bytes[place] = UInt8(random.below(256))
      case 3:
        // A whole word of an extreme.
        let word = random.pick([0, 1, .max, .min, -1] as [Int64])
        for byte in 0..<8 where place & ~7 + byte < bytes.count && place & ~7 >= first {
          bytes[place & ~7 + byte] = UInt8(truncatingIfNeeded: word >> Int64(byte * 8))
        }
      default: bytes.swapAt(place, first + random.below(bytes.count - first))
      }
    }
  }

  @Test("images: 20,000 mutations are refused or encoded as they were read")
  func images() throws {
    var random = SplitMix64(seed: 7)
    let golden = ExtrasTests.golden
    var read = 0
    for round in 0..<20_000 {
      var image = golden
      MutationTests.mutate(&image, from: 16, &random)
      image = ExtrasTests.sealed(image)
      guard let decoded = try? Image(from: image.span.rawBytes) else { continue }
      read += 1
      if ExtrasTests.encode(decoded) != image { Issue.record("round \(round): \(hex(image))") }
    }
    #expect(read > 2_000)
  }

  @Test("an account from a changed image goes on without a trap, or with a refusal")
  func accounts() throws {
    var random = SplitMix64(seed: 8)
    let now = ExtrasFixture.time
    var made = 0
    for _ in 0..<5_000 {
      var image = ExtrasTests.golden
      MutationTests.mutate(&image, from: 48, &random)
      image = ExtrasTests.sealed(image)
      guard let account = try? Image(from: image.span.rawBytes).account, account.time <= now else { continue }
      var draft = Draft(account)
      let later = now + .seconds(86_400 * 400)
      guard draft.settle(at: later) else { continue }
      for command: Command in [
        .debit(1, .upTo, .none), .grant(5, .purchase("x"), priority: 30, starts: .zero, expires: .never),
        .charge(3), .settle(3, .succeeded(reference: "r", price: Money(20_00, .usd))), .settle(3, .processing),
        .hold(1, lasting: .seconds(9), .release, .none), .unsubscribe(atOnce: true), .close(reason: ""),
      ] {
        _ = draft.decide(command, request: RequestID(random.next()), at: later)
      }
      made += draft.records.count
    }
    #expect(made > 5_000)
  }

  /// One record of each kind, from the life of an account.
  static let life: [Record] = {
    var fixture = Fixture()
    let method = PaymentMethod(token: "pm_1", brand: "visa", lastFour: "4242", expiryYear: 2030, expiryMonth: 1)
    let terms = RefillTerms(
      threshold: 100, pack: Pack(credits: 500, price: Money(20_00, .usd)), cap: Money(100_00, .usd), period: .month,
      method: 1, consent: "yes")
    let start = Fixture.start
    func at(_ seconds: Int) -> Timestamp { start + .seconds(seconds) }
    fixture.give(10)
    fixture.give(3, .promotion("p"), starts: at(5), expires: at(50))
    fixture.run(.subscribe(Plan("basic", allowance: 20, per: .day, rollover: 5), anchor: nil))
    fixture.run(.setAlerts([30, 8]))
    fixture.run(.debit(25, .whole))
    fixture.run(.debit(2, .upTo, Tariff(row: 3, counts: ExtrasFixture.counts)), at: at(6))
    fixture.run(.debit(99, .whole), at: at(7))
    fixture.run(.hold(2, lasting: .seconds(60), .capture, .none), at: at(8))
    fixture.run(.capture(RequestID(8), 1, .none), at: at(9))
    fixture.run(.hold(2, lasting: .seconds(60), .release, .none), at: at(10))
    fixture.run(.correct(SequenceNumber(7), of: 2, 1, reason: "late", agent: "ann"), at: at(90))
    fixture.run(.freeze(reason: "audit"), at: at(91))
    fixture.run(.unfreeze(reason: ""), at: at(92))
    fixture.run(.saveMethod(method, forRefill: false), at: at(93))
    fixture.run(.setRefill(terms), at: at(94))
    for step: Command in [
      .charge(1), .settle(1, .processing), .settle(1, .needsAction(link: "https://bank")),
      .settle(1, .declined(reason: "no")), .settle(1, .succeeded(reference: "r", price: Money(1, .usd))),
      .resumeRefill(reason: "by hand"), .order(25, price: Money(1_00, .usd), method: 1), .charge(2),
      .charge(3), .settle(2, .succeeded(reference: "r", price: Money(20_00, .usd))),
      .settle(3, .succeeded(reference: "r", price: Money(1_00, .usd))), .dispute(2, reason: "fraud"),
      .removeMethod(1), .unsubscribe(atOnce: false),
    ] { fixture.run(step, at: at(100)) }
    fixture.run(.debit(1, .whole), at: at(86_400 * 2))
    fixture.run(.close(reason: "done"), at: at(86_400 * 3))
    return fixture.records
  }()

  @Test("records: 60,000 mutations are refused or encoded as they were read, applied or refused, and shown")
  func records() throws {
    var random = SplitMix64(seed: 9)
    // The state before each record.
    var states: [Account] = []
    var account = Account(EntryTests.account)
    for (index, record) in MutationTests.life.enumerated() {
      states.append(account)
      try account.apply(record, at: SequenceNumber(UInt64(index) + 1))
    }
    let encoded = MutationTests.life.map { encode($0, over: 0) }
    var (read, applied) = (0, 0)
    for round in 0..<60_000 {
      let index = random.below(encoded.count)
      var bytes = encoded[index]
      MutationTests.mutate(&bytes, &random)
      guard let record = try? Record(from: bytes.span.rawBytes, at: 0) else { continue }
      if record.size != bytes.count { continue }
      read += 1
      if encode(record, over: 0xAA) != bytes { Issue.record("round \(round): \(hex(bytes))") }
      let sequence = SequenceNumber(UInt64(index) + 1)
      #expect(JournalEntry(record, at: sequence).sequence == sequence)
      var state = states[index]
      if (try? state.apply(record, at: sequence)) != nil {
        applied += 1
        if !state.isConserved { Issue.record("round \(round) applies \(record.line), and does not add up") }
      }
    }
    #expect(read > 20_000 && applied > 2_000)
  }

  @Test("blocks: bytes that were changed and sealed anew are refused or read as they are")
  func blocks() throws {
    var random = SplitMix64(seed: 10)
    let entries = MutationTests.life.flatMap { encode($0, over: 0) }
    let header = Block.Header(
      first: SequenceNumber(1), count: MutationTests.life.count, bytes: entries.count, earliest: .zero,
      latest: .never, previous: 0)
    var block = [UInt8](repeating: 0, count: Block.Header.size) + entries
    _ = unsafe block.withUnsafeMutableBytes { unsafe Block.seal(header, in: $0) }
    var read = 0
    for _ in 0..<4_000 {
      var damaged = block
      MutationTests.mutate(&damaged, &random)
      var seen = 0
      try? Block.forEach(in: damaged.span.rawBytes) { _, _ throws(DecodingError) in seen += 1 }
      read += seen
      let sequence = SequenceNumber(1 + random.next() % 60)
      _ = try? Block.record(sequence, in: damaged.span.rawBytes)
      _ = try? Block.verify(damaged.span.rawBytes)
    }
    #expect(read > 4_000)
  }
}

extension ExtrasFixture {
  static let counts: Counts = {
    var counts = Counts()
    for index in 0..<Counts.capacity { counts[index] = UInt64(index) << 33 + 1 }
    return counts
  }()
}
