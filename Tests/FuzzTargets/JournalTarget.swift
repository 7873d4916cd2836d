internal import Credits
internal import CreditsTesting
internal import LMDB

/// Bytes as they might be found on disk: they are refused, or read as exactly what they say, and never end the process.
enum JournalTarget {
  static func run(_ input: [UInt8]) throws {
    guard let mode = input.first else { return }
    let bytes = Array(input.dropFirst())
    switch mode % 6 {
    case 0: try takeAsTheyAre(bytes)
    case 1: try takeAsRecord(bytes)
    case 2: try takeAsBlock(bytes)
    case 3: try takeAsImage(bytes)
    default: try live(Choices(bytes: bytes))
    }
  }

  // MARK: Bytes

  private static func takeAsTheyAre(_ bytes: [UInt8]) throws {
    let span = bytes.span.rawBytes
    if let record = try? Record(from: span, at: 0) { try check(record, readFrom: bytes) }
    if let (header, checksum) = try? Block.verify(span) {
      try demand(resealed(bytes, header) == bytes, "a block reads as another one, with checksum \(checksum)")
    }
    try readBlock(bytes)
    if let image = try? Image(from: span) { try check(image, readFrom: bytes) }
  }

  /// A record that comes next in the life of an account.
  private static func takeAsRecord(_ bytes: [UInt8]) throws {
    guard let place = bytes.first else { return }
    let life = JournalTarget.life
    let index = Int(place) % life.states.count
    var state = life.states[index]
    var bytes = Array(bytes.dropFirst())
    if bytes.count >= Entry.size {
      // What every wrong entry would be refused for.
      put(AccountLife.id.high, at: 8, of: &bytes)
      put(AccountLife.id.low, at: 16, of: &bytes)
      put(state.last.value, at: 64, of: &bytes)
    }
    guard let record = try? Record(from: bytes.span.rawBytes, at: 0) else { return }
    try check(record, readFrom: bytes)
    let sequence = SequenceNumber(state.last.value + 1)
    guard (try? state.apply(record, at: sequence)) != nil else { return }
    try demand(state.isConserved, "a record was applied, and the account does not add up: \(record)")
    if let found = try? Image(from: encoded(Image(account: state, due: state.tripTime)).span.rawBytes) {
      try demand(found.account == state, "an image of \(state) reads as \(found.account)")
    }
    goOn(state)
  }

  /// Entries in a block with the right checksum.
  private static func takeAsBlock(_ bytes: [UInt8]) throws {
    guard bytes.count > 2 else { return }
    let entries = Array(bytes.dropFirst(2))
    let count = bytes[0] & 1 == 0 ? countOfEntries(entries) : Int(bytes[0] >> 1)
    let header = Block.Header(
      first: SequenceNumber(UInt64(bytes[1])), count: count, bytes: entries.count, earliest: .zero, latest: .never,
      previous: 0)
    let block = resealed([UInt8](repeating: 0, count: Block.Header.size) + entries, header)
    if let found = try? Block.verify(block.span.rawBytes) {
      try demand(found.header == header, "a header reads as \(found.header) instead of \(header)")
    }
    try readBlock(block)
  }

  private static func readBlock(_ block: [UInt8]) throws {
    let span = block.span.rawBytes
    var seen: [SequenceNumber] = []
    var copy: [UInt8] = []
    let isWhole =
      (try? Block.forEach(in: span) { record, sequence in
        seen.append(sequence)
        copy += encoded(record)
      }) != nil
    if isWhole {
      try demand(copy == Array(block.dropFirst(Block.Header.size)), "a block's records are not what it has")
    }
    for sequence in seen {
      guard let record = try? Block.record(sequence, in: span) else {
        throw Finding(description: "entry \(sequence) of a block is not found")
      }
      try demand(record.size >= Entry.size, "a record has \(record.size) bytes")
    }
    if let last = seen.last { _ = try? Block.record(SequenceNumber(last.value &+ 1), in: span) }
  }

  /// An image with the right version, length and checksum.
  private static func takeAsImage(_ bytes: [UInt8]) throws {
    var bytes = [UInt8](repeating: 0, count: 16) + bytes
    bytes[0] = 1
    for index in 0..<4 { bytes[4 + index] = UInt8(truncatingIfNeeded: bytes.count >> (8 * index)) }
    put(Checksum.of(bytes.span.rawBytes.extracting(16..<bytes.count)), at: 8, of: &bytes)
    guard let image = try? Image(from: bytes.span.rawBytes) else { return }
    try check(image, readFrom: bytes)
    goOn(image.account)
  }

  /// What an account from the disk does next may be refused; it does not end the process.
  private static func goOn(_ account: Account) {
    let now = AccountLife.start + .seconds(4_000_000)
    guard account.time <= now else { return }
    var draft = Draft(account)
    guard draft.settle(at: now + .seconds(86_400 * 400)) else { return }
    let later = max(now + .seconds(86_400 * 400), account.time)
    let price = Money(20_00, .usd)
    for command: Command in [
      .debit(1, .upTo, .none), .grant(5, .purchase("x"), priority: 30, starts: .zero, expires: .never), .charge(3),
      .settle(3, .succeeded(reference: "r", price: price)), .settle(3, .processing), .charge(4),
      .hold(1, lasting: .seconds(9), .release, .none), .setAlerts([3]), .order(25, price: price, method: 1),
      .resumeRefill(reason: ""), .unsubscribe(atOnce: true), .close(reason: ""),
    ] {
      _ = draft.decide(command, request: RequestID(UInt64(draft.records.count) + 1), at: later)
    }
  }

  // MARK: Values

  /// The life of an account, step by step: every record and every state reads as it was written.
  private static func live(_ choices: Choices) throws {
    var choices = choices
    var life = AccountLife()
    var replayed = Account(AccountLife.id)
    var seen = 0
    if !choices.once(in: 16) { _ = life.run(.open(label: "")) }
    for _ in 0..<64 where !choices.isAtEnd {
      let time: Duration =
        switch choices.below(4) {
        case 0: .zero
        case 1: .microseconds(choices.below(1 << 16))
        case 2: .seconds(choices.below(1 << 16) * 100)
        default: .microseconds(1)
        }
      let (command, isRequest) = life.command(&choices)
      let goesOn = life.run(command, after: time, isRequest: isRequest)
      for (index, record) in life.records.enumerated().dropFirst(seen) {
        let bytes = encoded(record)
        let read = try Record(from: bytes.span.rawBytes, at: 0)
        try check(read, readFrom: bytes)
        try demand(read.items == record.items, "the items \(record.items) read as \(read.items)")
        do throws(Inconsistency) { try replayed.apply(read, at: SequenceNumber(UInt64(index) + 1)) } catch {
          throw Finding(description: "\(command) made a record that does not fit: \(error.reason)")
        }
      }
      seen = life.records.count
      try demand(replayed == life.account, "after \(command) the records lead to another account")
      try demand(replayed.isConserved, "after \(command) the account does not add up")
      if replayed.opened != .none {
        let image = Image(account: replayed, due: replayed.tripTime)
        let bytes = encoded(image)
        try demand(bytes.count == image.size, "an image has another size than it says")
        let read = try Image(from: bytes.span.rawBytes)
        try demand(read.account == replayed && read.due == image.due, "after \(command) the image reads as another")
        try demand(encoded(read) == bytes, "an image reads as other bytes")
      }
      guard goesOn else { return }
    }
  }

  // MARK: Checks

  private static func check(_ record: Record, readFrom bytes: [UInt8]) throws {
    try demand(record.size <= bytes.count, "a record is longer than its bytes")
    if Canary.isPlanted, record.entry.units % 251 == 77 {
      // A byte beyond the end.
      let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: record.size, alignment: 8)
      let beyond = unsafe copy.baseAddress.map { unsafe $0.load(fromByteOffset: record.size, as: UInt8.self) }
      unsafe copy.deallocate()
      try demand(false, "the planted mistake is found: \(beyond ?? 0)")
    }
    try demand(encoded(record) == Array(bytes.prefix(record.size)), "a record reads as another one: \(record)")
    let entry = JournalEntry(record, at: SequenceNumber(1))
    try demand(entry.amount == record.entry.amount, "an entry shows another amount")
  }

  private static func check(_ image: Image, readFrom bytes: [UInt8]) throws {
    try demand(encoded(image) == bytes, "an image reads as another one: \(image.account)")
    try demand(image.account.isConserved, "an image is read that does not add up")
  }

  // MARK: Bytes of values

  private static func encoded(_ record: borrowing Record) -> [UInt8] {
    var bytes = [UInt8](repeating: 0xAA, count: record.size)
    unsafe bytes.withUnsafeMutableBytes { unsafe record.store(to: $0) }
    return bytes
  }

  private static func encoded(_ image: Image) -> [UInt8] {
    var bytes = [UInt8](repeating: 0xDD, count: image.size)
    unsafe bytes.withUnsafeMutableBytes { unsafe image.store(to: $0) }
    return bytes
  }

  private static func resealed(_ block: [UInt8], _ header: Block.Header) -> [UInt8] {
    var block = block
    guard block.count == Block.Header.size + header.bytes else { return block }
    _ = unsafe block.withUnsafeMutableBytes { unsafe Block.seal(header, in: $0) }
    return block
  }

  private static func put(_ word: UInt64, at place: Int, of bytes: inout [UInt8]) {
    for index in 0..<8 { bytes[place + index] = UInt8(truncatingIfNeeded: word >> UInt64(8 * index)) }
  }

  /// How many entries follow one another from the start on.
  private static func countOfEntries(_ bytes: [UInt8]) -> Int {
    var (count, place) = (0, 0)
    while place < bytes.count, let entry = try? Entry(from: bytes.span.rawBytes, at: place) {
      count += 1
      place += Int(entry.words) * 8
    }
    return count
  }
}

// MARK: A life with everything

extension JournalTarget {
  /// A life with records of all kinds, and the state before each.
  static let life: (records: [Record], states: [Account]) = {
    var life = AccountLife()
    for step in wholeLife { _ = life.run(step.command, after: .seconds(step.after), isRequest: step.isRequest) }
    var states: [Account] = []
    var account = Account(AccountLife.id)
    for (index, record) in life.records.enumerated() {
      states.append(account)
      do throws(Inconsistency) { try account.apply(record, at: SequenceNumber(UInt64(index) + 1)) } catch {
        preconditionFailure("the life of an account does not fit: \(error.reason)")
      }
    }
    return (life.records, states)
  }()

  /// Records, blocks, images, and choices that lead to lives.
  static func seeds() throws -> [(name: String, bytes: [UInt8])] {
    var seeds: [(name: String, bytes: [UInt8])] = []
    var kinds: Set<UInt8> = []
    for (index, record) in life.records.enumerated() where kinds.insert(record.entry.kind.rawValue).inserted {
      seeds.append(("record-\(JournalEntry(record, at: SequenceNumber(1)).kind)", [1, UInt8(index)] + encoded(record)))
    }
    for start in stride(from: 0, to: life.records.count, by: 8) {
      let entries = life.records[start..<min(start + 8, life.records.count)].flatMap { encoded($0) }
      seeds.append(("block-\(start)", [2, 0, UInt8(start + 1)] + entries))
    }
    for index in stride(from: 4, to: life.states.count, by: 9) {
      let image = encoded(Image(account: life.states[index], due: life.states[index].tripTime))
      seeds.append(("image-\(index)", [3] + image.dropFirst(16)))
      if index % 2 == 0 { seeds.append(("whole-image-\(index)", [0] + image)) }
    }
    for seed in 0..<6 {
      var random = SplitMix64(seed: UInt64(seed))
      seeds.append(("life-\(seed)", [4] + (0..<300).map { _ in UInt8(random.below(256)) }))
    }
    return seeds
  }

  private static var wholeLife: [(after: Int, command: Command, isRequest: Bool)] {
    let method = PaymentMethod(token: "pm_1", brand: "visa", lastFour: "4242", expiryYear: 2040, expiryMonth: 1)
    let terms = RefillTerms(
      threshold: 100, pack: Pack(credits: 500, price: Money(20_00, .usd)), cap: Money(100_00, .usd), period: .month,
      method: 1, consent: "yes")
    let start = AccountLife.start
    var counts = Counts()
    for index in 0..<Counts.capacity { counts[index] = UInt64(index) << 33 + 1 }
    func grant(_ amount: Amount, _ source: Grant.Source, starts: Timestamp = .zero, expires: Timestamp = .never)
      -> Command
    {
      .grant(amount, source, priority: source.kind.priority, starts: starts, expires: expires)
    }
    let requests: [(Int, Command)] = [
      (0, .open(label: "alice")), (0, grant(10, .purchase("order"))),
      (0, grant(3, .promotion("p"), starts: start + .seconds(5), expires: start + .seconds(50))),
      (0, .subscribe(Plan("basic", allowance: 20, per: .day, rollover: 5), anchor: nil)), (0, .setAlerts([30, 8])),
      (0, .debit(25, .whole, .none)), (6, .debit(2, .upTo, Tariff(row: 3, counts: counts))),
      (1, .debit(99, .whole, .none)), (1, .hold(2, lasting: .seconds(60), .capture, .none)),
      (1, .capture(RequestID(9), 1, .none)), (1, .hold(2, lasting: .seconds(60), .release, .none)),
      (80, .correct(SequenceNumber(7), of: 2, 1, reason: "late", agent: "ann")), (1, .freeze(reason: "audit")),
      (1, .unfreeze(reason: "")), (1, .saveMethod(method, forRefill: false)), (1, .setRefill(terms)),
    ]
    let charges: [(Int, Command)] = [
      (6, .charge(1)), (0, .settle(1, .processing)), (0, .settle(1, .needsAction(link: "https://bank"))),
      (0, .settle(1, .declined(reason: "no"))), (0, .settle(1, .succeeded(reference: "r", price: Money(1, .usd)))),
    ]
    let orders: [(Int, Command)] = [
      (0, .resumeRefill(reason: "by hand")), (0, .order(25, price: Money(1_00, .usd), method: 1)),
    ]
    let ends: [(Int, Command)] = [
      (0, .charge(2)), (0, .charge(3)), (0, .settle(2, .succeeded(reference: "r", price: Money(20_00, .usd)))),
      (0, .settle(3, .succeeded(reference: "r", price: Money(1_00, .usd)))),
    ]
    let last: [(Int, Command)] = [
      (0, .dispute(2, reason: "fraud")), (0, .removeMethod(1)), (0, .unsubscribe(atOnce: false)),
      (86_400 * 2, .debit(1, .whole, .none)), (86_400, .close(reason: "done")),
    ]
    func all(_ steps: [(Int, Command)], _ isRequest: Bool) -> [(after: Int, command: Command, isRequest: Bool)] {
      steps.map { ($0.0, $0.1, isRequest) }
    }
    return all(requests, true) + all(charges, false) + all(orders, true) + all(ends, false) + all(last, true)
  }
}
