internal import Credits
internal import CreditsTesting
internal import Glibc

/// A valid store of which something was changed: opened, verified, read and used, it gives right answers or errors.
///
/// Pages of LMDB are left as they are but for the magic number and version: LMDB is not made for wrong ones.
enum FilesTarget {
  static func run(_ input: [UInt8]) throws {
    let shapes = try StoreShape.all.get()
    var choices = Choices(bytes: input)
    let shape = shapes[choices.below(shapes.count)]
    let place = TemporaryStore()
    // Safe: the path is a terminated string that outlives the call.
    unsafe mkdir(place.path, 0o700)
    try StoreShape.write(shape.file, to: place.path + "/data.mdb")
    var damage = StoreDamage()
    if choices.once(in: 8) {
      try damage.changeFiles(shape, at: place.path, &choices)
    } else {
      try damage.change(shape, at: place.path, &choices)
    }
    let examination = StoreExamination(shape: shape, path: place.path, damage: damage)
    let thread = OneThread()
    do {
      try thread.run {
        let isClean = try await examination.read()
        try await examination.use(isClean: isClean, on: thread)
      }
    } catch let finding as Finding {
      throw Finding(description: finding.description + "\n  after: " + damage.steps.joined(separator: ", "))
    }
  }

  /// Choices at random.
  static var seeds: [(name: String, bytes: [UInt8])] {
    (0..<32).map { seed in
      var random = SplitMix64(seed: UInt64(1_000 + seed))
      let bytes = (0..<(16 << (seed % 4))).map { _ in UInt8(random.below(256)) }
      return ("damage-\(seed)", [UInt8(seed % 5), UInt8(seed % 8)] + bytes)
    }
  }
}
