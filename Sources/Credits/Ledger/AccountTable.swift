/// The accounts of one stripe that are in memory: a hash index over slots that never move.
///
/// Index positions follow the order of hashes, which is the order of the images on disk, so a walk over the index
/// meets the pages of the accounts table one after the other. This file is one of the two rooms for unsafe code: slots are
/// reached through pointers, so that a look-up costs two memory accesses and neither reference counting nor
/// exclusivity checks. All of it is used under the stripe's lock.
@safe struct AccountTable {
  /// An account in memory, and what the store keeps about it.
  struct Slot {
    var account: Account
    /// The sequence number that the account's latest image includes; an account is dirty while its last entry is later.
    var imaged: SequenceNumber
    /// The commit that took the image with it.
    var imagedIn: UInt64
    /// The time of the account's row in the table of due times; `never` for no row.
    var due: Timestamp
    /// The time of the account's valid row in the stripe's timers; `never` for none.
    var timer: Timestamp = .never
    /// The slot's own number.
    var number: UInt32 = 0
    /// The account's last entry when the eviction's hand passed.
    var passed: SequenceNumber = .none

    /// A slot without an account.
    static let vacant = Slot(account: Account(AccountID(0)), imaged: .none, imagedIn: 0, due: .never)
  }

  private static let slotsPerChunk = 256
  private static let tombstone: UInt64 = 0xFFFF_FFFF

  private var index: UnsafeMutablePointer<UInt64>
  private(set) var capacity = 16
  private var chunks: UnsafeMutablePointer<UnsafeMutablePointer<Slot>>
  private var chunkCount = 0
  private var chunkCapacity = 8
  private var free: [UInt32] = []
  private var occupied = 0
  private var hand = 0
  /// The number of accounts.
  private(set) var count = 0
  /// Rises whenever accounts change their places in the index: a walk that sees it change starts again.
  private(set) var generation = 0

  init() {
    unsafe index = .allocate(capacity: capacity)
    unsafe index.initialize(repeating: 0, count: capacity)
    unsafe chunks = .allocate(capacity: chunkCapacity)
  }

  func destroy() {
    for chunk in 0..<chunkCount {
      unsafe chunks[chunk].deinitialize(count: AccountTable.slotsPerChunk)
      unsafe chunks[chunk].deallocate()
    }
    unsafe chunks.deallocate()
    unsafe index.deallocate()
  }

  /// The address of a slot; valid until the account is removed, since slots never move.
  @inline(__always) func pointer(_ slot: UInt32) -> UnsafeMutablePointer<Slot> {
    let (chunk, place) = Int(slot).quotientAndRemainder(dividingBy: AccountTable.slotsPerChunk)
    return unsafe chunks[chunk] + place
  }

  /// The part of a hash that the index keeps: 32 bits after those that chose the stripe.
  @inline(__always) private static func tag(_ hash: UInt64) -> UInt64 { (hash << UInt64(Stripe.bits)) >> 32 }

  @inline(__always) private func home(_ tag: UInt64) -> Int {
    Int(truncatingIfNeeded: tag >> UInt64(32 - capacity.trailingZeroBitCount))
  }

  /// The slot of an account.
  @inline(__always) func find(_ account: AccountID, hash: UInt64) -> UnsafeMutablePointer<Slot>? {
    let tag = AccountTable.tag(hash)
    var position = home(tag)
    while true {
      // Safe here and below: positions are masked by the capacity, and the index names slots in use only.
      let word = unsafe index[position]
      if word == 0 { return nil }
      if word >> 32 == tag, word & 0xFFFF_FFFF != AccountTable.tombstone {
        let slot = unsafe pointer(UInt32(truncatingIfNeeded: word) &- 1)
        if unsafe slot.pointee.account.id == account { return unsafe slot }
      }
      position = (position + 1) & (capacity - 1)
    }
  }

  /// The slot at a position of the index, if an account is there.
  @inline(__always) func slot(atPosition position: Int) -> UInt32? {
    let low = unsafe index[position] & 0xFFFF_FFFF
    return low == 0 || low == AccountTable.tombstone ? nil : UInt32(low) - 1
  }

  /// Puts an account, which must not be there, into the table.
  mutating func insert(_ slot: Slot, hash: UInt64) -> UInt32 {
    if occupied >= capacity / 4 * 3 { rebuild() }
    let number: UInt32
    if let reused = free.popLast() {
      number = reused
    } else {
      addChunk()
      number = free.removeLast()
    }
    unsafe pointer(number).pointee = slot
    unsafe pointer(number).pointee.number = number
    let tag = AccountTable.tag(hash)
    var position = home(tag)
    while self.slot(atPosition: position) != nil { position = (position + 1) & (capacity - 1) }
    if unsafe index[position] == 0 { occupied += 1 }
    unsafe index[position] = tag << 32 | UInt64(number + 1)
    count += 1
    return number
  }

  private mutating func addChunk() {
    if chunkCount == chunkCapacity {
      let larger = UnsafeMutablePointer<UnsafeMutablePointer<Slot>>.allocate(capacity: chunkCapacity * 2)
      unsafe larger.update(from: chunks, count: chunkCount)
      unsafe chunks.deallocate()
      unsafe chunks = larger
      chunkCapacity *= 2
    }
    let bytes = AccountTable.slotsPerChunk * MemoryLayout<Slot>.stride
    let chunk = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    unsafe chunks[chunkCount] = chunk.bindMemory(to: Slot.self, capacity: AccountTable.slotsPerChunk)
    unsafe chunks[chunkCount].initialize(repeating: .vacant, count: AccountTable.slotsPerChunk)
    let first = UInt32(chunkCount * AccountTable.slotsPerChunk)
    chunkCount += 1
    for slot in (first..<first + UInt32(AccountTable.slotsPerChunk)).reversed() { free.append(slot) }
  }

  /// Makes the index anew, twice as large if it is more than half full of accounts, and without the marks of removed ones.
  private mutating func rebuild() {
    let old = unsafe index
    let oldCapacity = capacity
    if count > capacity / 2 { capacity *= 2 }
    unsafe index = .allocate(capacity: capacity)
    unsafe index.initialize(repeating: 0, count: capacity)
    for place in 0..<oldCapacity {
      let word = unsafe old[place]
      guard word != 0, word & 0xFFFF_FFFF != AccountTable.tombstone else { continue }
      var position = home(word >> 32)
      while unsafe index[position] != 0 { position = (position + 1) & (capacity - 1) }
      unsafe index[position] = word
    }
    occupied = count
    generation += 1
    unsafe old.deallocate()
  }

  /// Removes one account that is clean and did not change since the hand last passed; false if none was found among the next few.
  ///
  /// - Parameters:
  ///   - durable: The last commit that has returned.
  ///   - now: Accounts to which something has happened by this time are kept.
  mutating func evict(durable: UInt64, now: Timestamp) -> Bool {
    for _ in 0..<min(2 * capacity, 512) {
      hand = (hand + 1) & (capacity - 1)
      guard let number = slot(atPosition: hand) else { continue }
      let slot = unsafe pointer(number)
      guard unsafe slot.pointee.imaged == slot.pointee.account.last, unsafe slot.pointee.imagedIn <= durable,
        unsafe slot.pointee.account.tripTime > now
      else { continue }
      guard unsafe slot.pointee.passed == slot.pointee.account.last else {
        unsafe slot.pointee.passed = slot.pointee.account.last
        continue
      }
      unsafe slot.pointee = .vacant
      unsafe index[hand] = index[hand] | AccountTable.tombstone
      free.append(number)
      count -= 1
      return true
    }
    return false
  }
}
