// swift-tools-version: 6.2
import PackageDescription

/// The settings of every target: safety checks on, names imported where they are used.
let settings: [SwiftSetting] = [
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
  name: "credit-store-fuzz",
  products: [
    .library(name: "fault-shim", type: .dynamic, targets: ["FaultShim"]),
    .executable(name: "crash-states", targets: ["CrashStates"]),
    .executable(name: "faults", targets: ["Faults"]),
    .executable(name: "linearize", targets: ["Linearize"]),
    .executable(name: "simulate", targets: ["Simulate"]),
  ],
  dependencies: [
    .package(name: "credit-store", path: ".."),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
  ],
  targets: [
    .target(name: "FaultShim", cSettings: [.define("_GNU_SOURCE")]),
    .target(name: "PowerSwitch"),
    .target(
      name: "FaultSupport",
      dependencies: [
        .product(name: "Credits", package: "credit-store"),
        .product(name: "CreditsTesting", package: "credit-store"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: settings),
    .executableTarget(
      name: "CrashStates",
      dependencies: ["FaultSupport", "PowerSwitch", .product(name: "Credits", package: "credit-store")],
      swiftSettings: settings),
    .executableTarget(
      name: "Faults",
      dependencies: ["FaultSupport", "PowerSwitch", .product(name: "Credits", package: "credit-store")],
      swiftSettings: settings),
    .executableTarget(
      name: "Linearize",
      dependencies: [
        .product(name: "Credits", package: "credit-store"),
        .product(name: "CreditsTesting", package: "credit-store"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: settings),
    .executableTarget(
      name: "Simulate", dependencies: [.product(name: "CreditsTesting", package: "credit-store")],
      swiftSettings: settings),
  ]
)

// The fuzzers need flags of their own, see the Makefile; without them this package has none.
if Context.environment["CREDITS_FUZZING"] != nil {
  package.products.append(.executable(name: "credits-fuzz", targets: ["CreditsFuzz"]))
  package.targets.append(
    .executableTarget(
      name: "CreditsFuzz",
      dependencies: [.product(name: "FuzzTargets", package: "credit-store")],
      swiftSettings: settings))
}
