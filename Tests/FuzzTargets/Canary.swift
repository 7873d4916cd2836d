internal import Glibc

/// Planted mistakes, one for each target, that must be found: they prove that a target can fail.
enum Canary {
  /// Whether mistakes are planted: `CREDITS_FUZZ_CANARY` is in the environment.
  // Safe: the environment is not changed while the process runs.
  static let isPlanted = unsafe getenv("CREDITS_FUZZ_CANARY") != nil
}
