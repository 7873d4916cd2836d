internal import FaultSupport

/// A choice of what a power cut leaves of what was not synced.
struct Cut: Hashable {
  /// What is kept of the changes of names.
  var namings: Set<Int>
  /// What is kept of the pieces of writes.
  var pieces: Set<Int>
  /// The size of the pieces in bytes.
  let unit: Int
}

/// All power cuts at one boundary that are tried.
struct Cuts {
  /// A piece of a write that reaches the disk wholly or not at all.
  struct Piece {
    let node: Disk.Node
    let change: Disk.Change
  }

  private(set) var pages: [Piece] = []
  private(set) var sectors: [Piece] = []
  private(set) var all: [Cut] = []
  private let disk: Disk

  init(of disk: Disk, seed: UInt64, least: Int) {
    self.disk = disk
    for node in disk.nodes {
      for change in node.pending {
        pages += Cuts.pieces(change, 4_096).map { Piece(node: node, change: $0) }
        sectors += Cuts.pieces(change, 512).map { Piece(node: node, change: $0) }
      }
    }
    choose(seed: seed, least: least)
  }

  private static func pieces(_ change: Disk.Change, _ unit: Int) -> [Disk.Change] {
    guard case .write(let offset, let bytes) = change else { return [change] }
    var pieces: [Disk.Change] = []
    var start = offset
    while start < offset + bytes.count {
      let end = min((start / unit + 1) * unit, offset + bytes.count)
      let from = bytes.startIndex + start - offset
      pieces.append(.write(offset: start, bytes: bytes[from..<from + end - start]))
      start = end
    }
    return pieces
  }

  private mutating func choose(seed: UInt64, least: Int) {
    var dice = Dice(seed)
    var seen: Set<Cut> = []
    var chosen: [Cut] = []
    let names = Set(disk.namings.indices)
    func add(_ namings: Set<Int>, _ pieces: Set<Int>, _ unit: Int) {
      let cut = Cut(namings: namings, pieces: pieces, unit: unit)
      if seen.insert(cut).inserted { chosen.append(cut) }
    }
    let count = pages.count
    add([], [], 4_096)
    add(names, [], 4_096)
    add([], Set(0..<count), 4_096)
    add(names, Set(0..<count), 4_096)
    // The names: every subset of a few, prefixes of many.
    var nameSets: [Set<Int>] = []
    if names.count <= 6 {
      for bits in 0..<(1 << names.count) { nameSets.append(names.filter { bits >> $0 & 1 == 1 }) }
    } else {
      for end in 0...names.count { nameSets.append(Set(0..<end)) }
      for _ in 0..<64 { nameSets.append(dice.subset(names.count)) }
    }
    for set in nameSets.prefix(max(4, least)) {
      add(set, [], 4_096)
      add(set, Set(0..<count), 4_096)
      add(set, dice.subset(count), 4_096)
    }
    if count > 0 {
      for index in dice.sample(count, max(3, least / 5)) {
        add(names, Set(0..<index), 4_096)
        add(names, [index], 4_096)
        add(names, Set(0..<count).subtracting([index]), 4_096)
      }
      for index in dice.sample(sectors.count, max(2, least / 8)) { add(names, Set(0..<index), 512) }
      // Random subsets, half of them of few or of nearly all pieces.
      var tries = 0
      while chosen.count < least, tries < 4 * least {
        tries += 1
        if tries & 1 == 0 { add(names, dice.subset(count), 4_096) } else { add(names, dice.subset(sectors.count), 512) }
      }
    }
    all = chosen
  }

  /// Builds the files that a cut leaves; folders have no bytes.
  func files(_ cut: Cut) -> [String: [UInt8]?] {
    let pieces = cut.unit == 512 ? sectors : pages
    var files: [String: [UInt8]?] = [:]
    for (path, node) in disk.paths(keeping: cut.namings) {
      guard !node.isFolder else {
        files.updateValue(nil, forKey: path)
        continue
      }
      var bytes = node.durable
      for index in cut.pieces.sorted() where pieces[index].node === node {
        Disk.apply(pieces[index].change, to: &bytes)
      }
      files.updateValue(bytes, forKey: path)
    }
    return files
  }

  /// The same files as the processes saw them, with nothing lost.
  func everything() -> [String: [UInt8]?] {
    files(Cut(namings: Set(disk.namings.indices), pieces: Set(pages.indices), unit: 4_096))
  }
}

/// Random numbers from a seed.
struct Dice: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed &+ 0x9E37_79B9_7F4A_7C15 }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }

  /// A subset of numbers, sometimes of few, sometimes of nearly all.
  mutating func subset(_ count: Int) -> Set<Int> {
    let odds = [4, 16, 32, 48, 60][Int(next() % 5)]
    return Set((0..<count).filter { _ in next() % 64 < UInt64(odds) })
  }

  /// Some of the numbers below a count, spread evenly.
  func sample(_ count: Int, _ most: Int) -> [Int] {
    guard count > most else { return Array(0..<count) }
    return (0..<most).map { $0 * count / most }
  }
}
