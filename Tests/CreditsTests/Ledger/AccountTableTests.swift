import CreditsTesting
import Testing

@testable import Credits

@Suite("The account table")
struct AccountTableTests {
  /// With this key, all ids whose first half is zero have the same hash: more than a group counts that go past it.
  private let key = HashKey(0, 2, 3)

  /// An account; one in three has a hash that they all have.
  private func account(_ id: UInt64) -> AccountID { AccountID(high: id % 3 == 0 ? 0 : id, low: id) }

  private func hash(_ id: UInt64) -> UInt64 { key.hash(account(id)) }

  /// An account with a last entry, as slots need.
  private func slot(_ id: UInt64, last: UInt64 = 1, imaged: UInt64 = 1, imagedIn: UInt64 = 0) -> AccountTable.Slot {
    var account = Account(account(id))
    account.last = SequenceNumber(last)
    var slot = AccountTable.Slot(account: account, imaged: SequenceNumber(imaged), due: .never)
    slot.imagedIn = imagedIn
    return slot
  }

  /// A table and the memory it lives in.
  private struct Room: ~Copyable {
    var table: AccountTable
    private let slots: Region
    private let tags: Region

    init(_ limit: Int, _ key: HashKey) throws {
      let slots = try Region(bytes: AccountTable.slotBytes(for: limit))
      let tags = try Region(bytes: AccountTable.tagBytes(for: limit))
      (self.slots, self.tags) = (slots, tags)
      table = unsafe AccountTable(limit: limit, key: key, slots: slots.start, tags: tags.start)
    }

    deinit {
      table.destroy()
      slots.destroy()
      tags.destroy()
    }
  }

  @Test("random insertions, look-ups and evictions agree with a dictionary", arguments: 0..<4)
  func model(_ seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var room = try Room(2_000, key)
    var model: [UInt64: UInt64] = [:]
    for step in 1...12_000 {
      let id = UInt64(random.below(1_400))
      switch random.below(4) {
      case 0, 1:
        let found = unsafe room.table.find(account(id), hash: hash(id))
        #expect((unsafe found?.pointee.account.last.value) == model[id])
        if unsafe found == nil {
          let inserted = unsafe room.table.insert(slot(id, last: UInt64(step), imaged: UInt64(step)), hash: hash(id))
          #expect(unsafe inserted.pointee.account.id == account(id))
          model[id] = UInt64(step)
        }
      case 2:
        // Every other account is dirty.
        if let found = unsafe room.table.find(account(id), hash: hash(id)) {
          unsafe found.pointee.account.last = SequenceNumber(UInt64(step))
          if id % 2 == 0 { unsafe found.pointee.imaged = SequenceNumber(UInt64(step)) }
          model[id] = UInt64(step)
        }
      default:
        let before = room.table.count
        guard room.table.evict(durable: 0, now: .zero) else { break }
        #expect(room.table.count == before - 1)
        let gone = model.keys.filter { unsafe room.table.find(account($0), hash: hash($0)) == nil }
        #expect(gone.count == 1)
        for id in gone { model[id] = nil }
      }
    }
    #expect(room.table.count == model.count)
    var walked: Set<AccountID> = []
    for number in 0..<room.table.capacity where room.table.isOccupied(number) {
      walked.insert(unsafe room.table.pointer(number).pointee.account.id)
    }
    #expect(walked == Set(model.keys.map { account($0) }))
  }

  @Test("every account is found, with all it has, also after the table has grown")
  func growth() throws {
    var room = try Room(2_000, key)
    let generation = room.table.generation
    for id in UInt64(1)...2_000 {
      unsafe room.table.insert(slot(id), hash: hash(id)).pointee.due = Timestamp(microseconds: Int64(id))
    }
    #expect(room.table.generation > generation && room.table.count == 2_000 && room.table.capacity >= 2_000)
    var places: Set<UInt32> = []
    for id in UInt64(1)...2_000 {
      let found = try unsafe #require(room.table.find(account(id), hash: hash(id)))
      #expect(unsafe found.pointee.account.id == account(id) && found.pointee.due.microseconds == Int64(id))
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
      var room = try Room(10, key)
      _ = unsafe room.table.insert(slot, hash: hash(1))
      #expect(room.table.evict(durable: 5, now: now) == isEvicted)
      #expect(room.table.count == (isEvicted ? 0 : 1))
    }
  }
}
