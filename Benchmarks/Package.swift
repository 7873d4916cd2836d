// swift-tools-version: 6.2
import Foundation
import PackageDescription

/// The settings of every target: safety checks on, names imported where they are used. Nobody depends on this package,
/// so warnings may be errors here.
let settings: [SwiftSetting] = [
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// The clients of other stores that are installed: named by `PEERS`, or found by their headers.
///
/// `PEERS` also keeps the build tool from taking an old answer from its cache, which knows the environment only. The
/// module map of hiredis names its library itself: its pkg-config file has a flag that the build tool refuses.
let clients: [(name: String, module: String, pkgConfig: String?, headers: String, package: String)] = [
  ("sqlite", "CSQLite", "sqlite3", "sqlite3.h", "libsqlite3-dev"),
  ("rocksdb", "CRocksDB", "rocksdb", "rocksdb/c.h", "librocksdb-dev"),
  ("redis", "CHiredis", nil, "hiredis/hiredis.h", "libhiredis-dev"),
  ("postgres", "CPostgres", "libpq", "postgresql/libpq-fe.h", "libpq-dev"),
]
let named = Context.environment["PEERS"]?.split(separator: " ").map(String.init)
let installed = clients.filter { client in
  if let named { return named.contains(client.name) }
  return ["/usr/include/", "/usr/local/include/"].contains {
    FileManager.default.fileExists(atPath: $0 + client.headers)
  }
}

let package = Package(
  name: "credit-benchmarks",
  products: [
    .executable(name: "credits-bench", targets: ["credits-bench"]),
    .executable(name: "credits-micro", targets: ["credits-micro"]),
  ],
  dependencies: [
    .package(name: "credit-store", path: ".."),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
  ],
  targets: [
    .systemLibrary(
      name: "CPlainLMDB", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"]), .brew(["lmdb"])]),
    .target(name: "CAllocations"),
    .target(
      name: "Harness", dependencies: [.product(name: "Histogram", package: "hdrhistogram-swift")],
      swiftSettings: settings),
    // Every line of it calls C: marking each as unsafe would say nothing, so strict checks are off here.
    .target(
      name: "Peers",
      dependencies: ["Harness", "CPlainLMDB"] + installed.map { .target(name: $0.module) },
      swiftSettings: Array(settings.dropFirst())),
    .executableTarget(
      name: "credits-bench",
      dependencies: [
        "Harness", "Peers",
        .product(name: "Credits", package: "credit-store"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings),
    .executableTarget(
      name: "credits-micro",
      dependencies: [
        "Harness", "CAllocations",
        .product(name: "Credits", package: "credit-store"),
        .product(name: "CreditsTesting", package: "credit-store"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings),
    .testTarget(name: "HarnessTests", dependencies: ["Harness"], swiftSettings: settings),
  ]
    + installed.map {
      .systemLibrary(name: $0.module, pkgConfig: $0.pkgConfig, providers: [.apt([$0.package])])
    }
)
