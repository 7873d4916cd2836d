internal import FaultSupport

/// A disk, as the processes see it and as a power cut may leave it.
struct Disk {
  /// A file or folder.
  final class Node {
    let isFolder: Bool
    /// What is safe.
    var durable: [UInt8] = []
    /// What has been done since, in order, and may be lost.
    var pending: [Change] = []
    init(isFolder: Bool) { self.isFolder = isFolder }
  }

  /// A change of a file.
  enum Change {
    case write(offset: Int, bytes: ArraySlice<UInt8>)
    case truncate(Int)
  }

  /// A change of names: one goes, another comes, or both at once.
  struct Naming {
    let old: (folder: Node, name: String)?
    let new: (folder: Node, name: String, node: Node)?

    /// Whether a sync of a folder makes it safe.
    func concerns(_ folder: Node) -> Bool { old?.folder === folder || new?.folder === folder }

    /// Makes the change in folders' names.
    func apply(to names: inout [ObjectIdentifier: [String: Node]]) {
      if let old { names[ObjectIdentifier(old.folder)]?[old.name] = nil }
      if let new { names[ObjectIdentifier(new.folder), default: [:]][new.name] = new.node }
    }
  }

  let root = Node(isFolder: true)
  /// The names in each folder, as the processes see them.
  private var names: [ObjectIdentifier: [String: Node]] = [:]
  /// The names that are safe.
  private var durableNames: [ObjectIdentifier: [String: Node]] = [:]
  /// The changes of names that may be lost, in order.
  private(set) var namings: [Naming] = []
  /// All files with changes that may be lost, in the order in which they were first opened.
  private(set) var nodes: [Node] = []
  private var handles: [UInt32: Node] = [:]
  private var lastWritten: Node?

  /// Puts a file there that has been safe for long.
  mutating func place(_ bytes: [UInt8], at path: String) {
    let parts = path.split(separator: "/").map(String.init)
    var folder = root
    for part in parts.dropLast() {
      let next = names[ObjectIdentifier(folder)]?[part] ?? Node(isFolder: true)
      Naming(old: nil, new: (folder, part, next)).apply(to: &names)
      folder = next
    }
    let node = Node(isFolder: false)
    node.durable = bytes
    nodes.append(node)
    Naming(old: nil, new: (folder, parts[parts.count - 1], node)).apply(to: &names)
    durableNames = names
  }

  /// The folder and the last name of a path, and what is there.
  private func find(_ path: String) -> (folder: Node, name: String, node: Node?) {
    let parts = path.split(separator: "/").map(String.init)
    var folder = root
    for part in parts.dropLast() {
      guard let next = names[ObjectIdentifier(folder)]?[part] else { fail("the recording has no folder for \(path)") }
      folder = next
    }
    guard let name = parts.last else { return (root, "", root) }
    return (folder, name, names[ObjectIdentifier(folder)]?[name])
  }

  private mutating func add(_ naming: Naming) {
    naming.apply(to: &names)
    namings.append(naming)
  }

  mutating func apply(_ event: Recording.Event) {
    switch event {
    case .process, .mark: break
    case .open(let handle, let path, let isNew):
      let place = find(path)
      if isNew {
        let node = Node(isFolder: false)
        nodes.append(node)
        add(Naming(old: nil, new: (place.folder, place.name, node)))
        handles[handle] = node
      } else {
        guard let node = place.node else { fail("the recording opens \(path), which is not there") }
        handles[handle] = node
      }
    case .write(let handle, let offset, let bytes):
      guard let node = handles[handle] else { fail("the recording writes to nothing") }
      node.pending.append(.write(offset: offset, bytes: bytes))
      lastWritten = node
    case .truncate(let handle, let size):
      guard let node = handles[handle] else { fail("the recording truncates nothing") }
      node.pending.append(.truncate(size))
    case .syncWrite:
      // Only what it wrote itself is safe, not what was written to the file before.
      guard let node = lastWritten, let change = node.pending.popLast() else { return }
      Disk.apply(change, to: &node.durable)
    case .sync(let handle):
      guard let node = handles[handle] else { fail("the recording syncs nothing") }
      for naming in namings where naming.concerns(node) { naming.apply(to: &durableNames) }
      namings.removeAll { $0.concerns(node) }
      for change in node.pending { Disk.apply(change, to: &node.durable) }
      node.pending.removeAll()
    case .makeFolder(let path):
      let place = find(path)
      add(Naming(old: nil, new: (place.folder, place.name, Node(isFolder: true))))
    case .rename(let old, let new):
      let (from, to) = (find(old), find(new))
      guard let node = from.node else { fail("the recording renames nothing") }
      add(Naming(old: (from.folder, from.name), new: (to.folder, to.name, node)))
    case .remove(let path):
      let place = find(path)
      add(Naming(old: (place.folder, place.name), new: nil))
    }
  }

  /// All files and folders by their paths, with some of the changes of names that may be lost.
  func paths(keeping kept: Set<Int>) -> [(path: String, node: Node)] {
    var names = durableNames
    for index in namings.indices where kept.contains(index) { namings[index].apply(to: &names) }
    var all: [(String, Node)] = []
    func visit(_ folder: Node, _ prefix: String) {
      for (name, node) in names[ObjectIdentifier(folder)] ?? [:] {
        all.append((prefix + name, node))
        if node.isFolder { visit(node, prefix + name + "/") }
      }
    }
    visit(root, "")
    return all
  }

  static func apply(_ change: Change, to bytes: inout [UInt8]) {
    switch change {
    case .write(let offset, let written):
      if bytes.count < offset + written.count {
        bytes.append(contentsOf: repeatElement(0, count: offset + written.count - bytes.count))
      }
      bytes.replaceSubrange(offset..<offset + written.count, with: written)
    case .truncate(let size):
      if size < bytes.count {
        bytes.removeLast(bytes.count - size)
      } else {
        bytes.append(contentsOf: repeatElement(0, count: size - bytes.count))
      }
    }
  }
}
