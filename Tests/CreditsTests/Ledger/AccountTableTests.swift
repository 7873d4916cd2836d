import CreditsTesting
import Testing

@testable import Credits

@Suite("The account table")
struct AccountTableTests {
  /// An account with a last entry, as slots need.
  private func slot(_ id: UInt64, last: UInt64 = 1, imaged: UInt64 = 1, imagedIn: UInt64 = 0) -> AccountTable.Slot {
    var account = Account(AccountID(id))
    account.last = SequenceNumber(last)
    var slot = AccountTable.Slot(account: account, imaged: SequenceNumber(imaged), due: .never)
    slot.imagedIn = imagedIn
    return slot
  }

  /// A table and the memory it lives in.
  private struct Room: ~Copyable {
    var table: AccountTable
    private let slots: Region
    private let index: Region

    init(_ limit: Int) throws {
      let slots = try Region(bytes: AccountTable.slotBytes(for: limit))
      let index = try Region(bytes: AccountTable.indexBytes(for: limit))
      (self.slots, self.index) = (slots, index)
      table = unsafe AccountTable(limit: limit, slots: slots.start, index: index.start)
    }

    deinit {
      table.destroy()
      slots.destroy()
      index.destroy()
    }
  }

  /// Hashes of one stripe that crowd together, so that probing is long.
  private func hash(_ id: UInt64) -> UInt64 { (id % 64) << 50 | id << 4 }

  @Test("random insertions, look-ups and evictions agree with a dictionary", arguments: 0..<6)
  func model(_ seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var room = try Room(2_000)
    var model: [UInt64: UInt64] = [:]
    for step in 1...20_000 {
      let id = UInt64(random.below(600))
      switch random.below(4) {
      case 0, 1:
        let found = unsafe room.table.find(AccountID(id), hash: hash(id))
        #expect((unsafe found?.pointee.account.last.value) == model[id])
        if unsafe found == nil {
          let inserted = unsafe room.table.insert(slot(id, last: UInt64(step), imaged: UInt64(step)), hash: hash(id))
          #expect(unsafe inserted.pointee.account.id == AccountID(id))
          model[id] = UInt64(step)
        }
      case 2:
        // Every other account is dirty.
        if let found = unsafe room.table.find(AccountID(id), hash: hash(id)) {
          unsafe found.pointee.account.last = SequenceNumber(UInt64(step))
          if id % 2 == 0 { unsafe found.pointee.imaged = SequenceNumber(UInt64(step)) }
          model[id] = UInt64(step)
        }
      default:
        let before = room.table.count
        guard room.table.evict(durable: 0, now: .zero) else { break }
        #expect(room.table.count == before - 1)
        let gone = model.keys.filter { unsafe room.table.find(AccountID($0), hash: hash($0)) == nil }
        #expect(gone.count == 1)
        for id in gone { model[id] = nil }
      }
    }
    #expect(room.table.count == model.count)
    var walked: Set<AccountID> = []
    for position in 0..<room.table.capacity {
      if let number = room.table.slot(atPosition: position) {
        walked.insert(unsafe room.table.pointer(number).pointee.account.id)
      }
    }
    #expect(walked == Set(model.keys.map { AccountID($0) }))
  }

  @Test("every account is found, with all it has, also after the index has grown")
  func growth() throws {
    var room = try Room(2_000)
    let generation = room.table.generation
    for id in UInt64(1)...2_000 {
      unsafe room.table.insert(slot(id), hash: hash(id)).pointee.due = Timestamp(microseconds: Int64(id))
    }
    #expect(room.table.generation > generation && room.table.count == 2_000 && room.table.capacity >= 2_000)
    var places: Set<UInt32> = []
    for id in UInt64(1)...2_000 {
      let found = try unsafe #require(room.table.find(AccountID(id), hash: hash(id)))
      #expect(unsafe found.pointee.account.id == AccountID(id) && found.pointee.due.microseconds == Int64(id))
      #expect(unsafe room.table.glimpse(of: AccountID(id), hash: hash(id))?.balance == found.pointee.account.balance)
      places.insert(unsafe room.table.number(of: found))
    }
    #expect(places.count == 2_000)
  }

  @Test("an account is evicted only if its image is durable, it is clean, at rest, and nothing is due")
  func eviction() throws {
    let rows: [(AccountTable.Slot, Timestamp, Bool)] = [
      (slot(1), .zero, true), (slot(1, last: 2), .zero, false), (slot(1, imagedIn: 6), .zero, false),
      (slot(1, imagedIn: 5), .zero, true), (slot(1), .never, false),
    ]
    for (slot, now, isEvicted) in rows {
      var room = try Room(10)
      _ = unsafe room.table.insert(slot, hash: hash(1))
      #expect(room.table.evict(durable: 5, now: now) == isEvicted)
      #expect(room.table.count == (isEvicted ? 0 : 1))
    }
  }
}
