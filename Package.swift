// swift-tools-version: 6.2
import PackageDescription

/// The settings of every target: safety checks on, names imported where they are used.
let settings: [SwiftSetting] = [
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableExperimentalFeature("Lifetimes"),
]

let package = Package(
  name: "credit-store",
  products: [
    .library(name: "Credits", targets: ["Credits"]),
    .library(name: "CreditsTesting", targets: ["CreditsTesting"]),
    .executable(name: "creditctl", targets: ["CreditctlProgram"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
  ],
  targets: [
    .systemLibrary(
      name: "CLMDB", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"]), .brew(["lmdb"])]),
    .systemLibrary(name: "CPrefetch"),
    .systemLibrary(name: "CFileBirth"),
    .target(name: "LMDB", dependencies: ["CLMDB"], swiftSettings: settings),
    .target(
      name: "Credits",
      dependencies: [
        "LMDB",
        "CPrefetch",
        "CFileBirth",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      swiftSettings: settings),
    .target(
      name: "CreditsTesting", dependencies: ["Credits", .product(name: "Logging", package: "swift-log")],
      swiftSettings: settings),
    .target(
      name: "creditctl",
      dependencies: [
        "Credits",
        "CreditsTesting",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Histogram", package: "hdrhistogram-swift"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: settings),
    .executableTarget(name: "CreditctlProgram", dependencies: ["creditctl"], swiftSettings: settings),
    .testTarget(name: "LMDBTests", dependencies: ["LMDB"], swiftSettings: settings),
    .testTarget(
      name: "CreditsTests",
      dependencies: [
        "Credits", "CreditsTesting", "LMDB", .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "CreditctlTests", dependencies: ["CreditctlProgram", "creditctl", "Credits"], swiftSettings: settings),
    .target(
      name: "FuzzTargets", dependencies: ["Credits", "CreditsTesting", "LMDB", "creditctl"],
      path: "Tests/FuzzTargets", swiftSettings: settings),
    .testTarget(name: "FuzzTests", dependencies: ["CreditsTesting", "FuzzTargets"], swiftSettings: settings),
    .target(
      name: "CrashSupport", dependencies: ["Credits", .product(name: "Logging", package: "swift-log")],
      path: "Tests/CrashSupport", swiftSettings: settings),
    .executableTarget(
      name: "crash-child", dependencies: ["Credits", "CreditsTesting", "CrashSupport", "LMDB"],
      path: "Tests/CrashChild",
      swiftSettings: settings),
    .testTarget(
      name: "CrashTests", dependencies: ["Credits", "CreditsTesting", "CrashSupport", "LMDB", "crash-child"],
      swiftSettings: settings),
    .testTarget(
      name: "ConcurrencyTests",
      dependencies: [
        "Credits", "CreditsTesting", "CrashSupport", .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "ExampleTests",
      dependencies: [
        "Credits",
        "CreditsTesting",
        "LMDB",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ],
      swiftSettings: settings),
  ]
)

// Fuzzers have a package of their own, in the folder `fuzz`; only they need this one.
if Context.environment["CREDITS_FUZZING"] != nil {
  package.products.append(.library(name: "FuzzTargets", targets: ["FuzzTargets"]))
}

// Some test targets alone, with what they need: with a sanitizer, building all of them takes longer than running some.
if let tests = Context.environment["CREDITS_TESTS"] {
  var needed = tests.split(separator: " ").map(String.init)
  var place = 0
  while place < needed.count {
    for target in package.targets where target.name == needed[place] {
      for case .byNameItem(let name, _) in target.dependencies where !needed.contains(name) { needed.append(name) }
    }
    place += 1
  }
  package.targets.removeAll { !needed.contains($0.name) }
  package.products.removeAll { !needed.contains($0.name) }
}
