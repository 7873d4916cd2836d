internal import Glibc

/// Reads a data file's list of free pages without the map, to tell a truncated file from one that is short by right.
///
/// LMDB does not write a page that was taken and freed again in one transaction. If such pages are the last ones, the
/// file ends before its last page, yet nothing is missing. This walk goes through the free list's tree with
/// `pread`, which cannot crash where the file ends, and collects the free pages beyond the end.
///
/// The layout is that of LMDB 0.9 on machines with 64-bit little-endian numbers: a page begins with its number
/// (8 bytes), padding (2), flags (2), the end of the node offsets (2) and the start of the nodes (2); an overflow page
/// has its count of pages in place of the last two. A node begins with the size of its data (4, or with the next 2
/// the number of a child page), flags (2) and the size of its key (2).
struct FreeListWalk {
  private let descriptor: Int32
  private let pageSize: Int
  /// The number of whole pages in the file, which is the number of the first missing page.
  private let wholePages: Int
  private var freeBeyondEnd: Set<Int> = []
  /// The tree's pages that have been read, so that a damaged tree with a circle ends the walk.
  private var visited: Set<Int> = []

  private static let pageHeader = 16
  private static let branchFlag: UInt16 = 0x01
  private static let leafFlag: UInt16 = 0x02
  private static let overflowFlag: UInt16 = 0x04
  /// LMDB's own limit to the height of a tree.
  private static let maxDepth = 32

  /// Whether every page of `commit` beyond the end of the file is free; false too if the file cannot be read that far,
  /// and `nil` if two later commits have overwritten the header meanwhile.
  ///
  /// The caller holds a read transaction that sees `commit`, so that the pages stay as they are.
  static func allMissingPagesAreFree(
    in descriptor: Int32, pageSize: Int, fileSize: Int, commit: UInt64
  ) -> Bool? {
    var walk = FreeListWalk(descriptor: descriptor, pageSize: pageSize, wholePages: fileSize / pageSize)
    guard let header = walk.header(of: commit) else { return nil }
    guard header.lastPage >= walk.wholePages else { return true }
    guard walk.collect(page: header.freeListRoot, depth: 0) else { return false }
    let missing = walk.wholePages...header.lastPage
    return walk.freeBeyondEnd.filter(missing.contains).count == missing.count
  }

  private init(descriptor: Int32, pageSize: Int, wholePages: Int) {
    self.descriptor = descriptor
    self.pageSize = pageSize
    self.wholePages = wholePages
  }

  /// What a header says of a commit: the number of the last page, and the root of the free list, -1 if that is empty.
  private func header(of commit: UInt64) -> (lastPage: Int, freeListRoot: Int)? {
    // Behind the page's own header: magic and version (8), address (8), map size (8), the free list's table (48, its
    // root last), the main table (48), last page (8), commit (8).
    for page in 0...1 {
      guard let bytes = read(page: page, count: 1) else { continue }
      if load(bytes, at: Self.pageHeader + 128, as: UInt64.self) == commit {
        return (
          lastPage: load(bytes, at: Self.pageHeader + 120, as: Int.self),
          freeListRoot: load(bytes, at: Self.pageHeader + 64, as: Int.self)
        )
      }
    }
    return nil
  }

  /// Collects the free pages listed in a page and below it; false if anything is not as it should be.
  private mutating func collect(page number: Int, depth: Int) -> Bool {
    if number == -1 { return depth == 0 }
    guard depth < Self.maxDepth, visited.insert(number).inserted else { return false }
    guard let page = read(page: number, count: 1) else { return false }
    let flags = load(page, at: 10, as: UInt16.self)
    let nodesEnd = Int(load(page, at: 12, as: UInt16.self))
    guard nodesEnd >= Self.pageHeader, nodesEnd <= pageSize else { return false }
    for slot in stride(from: Self.pageHeader, to: nodesEnd, by: 2) {
      let node = Int(load(page, at: slot, as: UInt16.self))
      guard node >= nodesEnd, node + 8 <= pageSize else { return false }
      let isFine: Bool
      switch flags {
      case Self.branchFlag: isFine = collect(page: childPage(of: node, in: page), depth: depth + 1)
      case Self.leafFlag: isFine = collectList(of: node, in: page)
      default: isFine = false
      }
      guard isFine else { return false }
    }
    return true
  }

  private func childPage(of node: Int, in page: [UInt8]) -> Int {
    Int(load(page, at: node, as: UInt32.self)) | Int(load(page, at: node + 4, as: UInt16.self)) << 32
  }

  /// Collects a leaf node's value: the number of pages, then their numbers.
  private mutating func collectList(of node: Int, in page: [UInt8]) -> Bool {
    let size = Int(load(page, at: node, as: UInt32.self))
    let isOverflow = load(page, at: node + 4, as: UInt16.self) & 1 != 0
    var value = node + 8 + Int(load(page, at: node + 6, as: UInt16.self))
    guard value + 8 <= pageSize else { return false }
    var bytes = page
    if isOverflow {
      let first = load(page, at: value, as: Int.self)
      let count = (Self.pageHeader + size + pageSize - 1) / pageSize
      guard let overflow = read(page: first, count: count) else { return false }
      guard load(overflow, at: 10, as: UInt16.self) == Self.overflowFlag else { return false }
      bytes = overflow
      value = Self.pageHeader
    }
    guard size >= 8, value + size <= bytes.count else { return false }
    let listed = load(bytes, at: value, as: Int.self)
    guard listed >= 0, listed <= size / 8 - 1 else { return false }
    for index in 0..<listed {
      let number = load(bytes, at: value + 8 + index * 8, as: Int.self)
      if number >= wholePages { freeBeyondEnd.insert(number) }
    }
    return true
  }

  /// Reads whole pages; `nil` if the file does not have them.
  private func read(page number: Int, count: Int) -> [UInt8]? {
    guard number >= 0, count > 0, number <= wholePages - count else { return nil }
    let size = count * pageSize
    // The buffer has room for `size` bytes, and pread writes no more.
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, initializedCount in
      // A short read leaves fewer bytes, which the guard below refuses.
      initializedCount = max(0, unsafe pread(descriptor, buffer.baseAddress, size, number * pageSize))
    }
    return bytes.count == size ? bytes : nil
  }

  /// A number at an offset, which may be odd; traps beyond the end of the bytes.
  private func load<Number: BitwiseCopyable & FixedWidthInteger>(
    _ bytes: [UInt8], at offset: Int, as type: Number.Type
  ) -> Number {
    // Every bit pattern is a number of an integer type.
    unsafe bytes.span.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: type)
  }
}
