extension Span where Element == UInt8 {
  /// The same bytes as a `RawSpan`, which is what keys and values are.
  ///
  /// The standard library's `bytes` does it for every element type and is unsafe, since some have padding.
  public var rawBytes: RawSpan {
    @_lifetime(copy self)
    get {
      // A UInt8 has no padding: every byte is initialised.
      unsafe bytes
    }
  }
}
