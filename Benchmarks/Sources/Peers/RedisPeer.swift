#if canImport(CHiredis)
  internal import CHiredis
  internal import Foundation

  /// Redis with an append-only file: a Lua script for each debit, pipelined, or for some hundreds of them.
  package final class RedisPeer: Peer, Sendable {
    private let socket: String
    package let name: String
    package let server: Int32?

    /// Connects to a server that listens on a socket of the file system.
    package init(socket: String, server: Int32?) throws {
      self.socket = socket
      self.server = server
      let session = try Session(socket, callsAtOnce: 1)
      defer { session.close() }
      let info = try session.text(["INFO", "server"])
      let version = info.split(whereSeparator: \.isNewline).first { $0.hasPrefix("redis_version:") }
      name = "Redis \(version?.split(separator: ":").last ?? "")"
    }

    package var relaxedMode: String { "appendfsync everysec" }
    package var forms: [PeerForm] {
      [
        PeerForm("a script a debit"), PeerForm("a connection each", sessions: 64),
        PeerForm("4 connections, pipelined", sessions: 4, batch: 16),
        PeerForm("4 connections, pipelined", sessions: 4, batch: 256),
        PeerForm("batches on 2 connections, 256 debits a script", sessions: 2, batch: 4_096, way: "scripts"),
      ]
    }

    package func fill(accounts: Int, balance: Int64) throws {
      let session = try Session(socket, callsAtOnce: 1)
      defer { session.close() }
      try session.command(["FLUSHALL"])
      try session.command(["CONFIG", "SET", "appendfsync", "no"])
      let amount = String(balance)
      for start in stride(from: 1, through: accounts, by: 1_000) {
        var words = ["MSET"]
        for account in start..<min(start + 1_000, accounts + 1) { words += ["a\(account)", amount] }
        try session.command(words)
      }
    }

    package func total(of accounts: ClosedRange<Int>) throws -> Int64 {
      let session = try Session(socket, callsAtOnce: 1)
      defer { session.close() }
      var sum: Int64 = 0
      for start in stride(from: accounts.lowerBound, through: accounts.upperBound, by: 1_000) {
        let end = min(start + 999, accounts.upperBound)
        sum += try session.sum(["MGET"] + (start...end).map { "a\($0)" })
      }
      return sum
    }

    package func session(_ form: PeerForm, _ durability: PeerDurability) throws -> any PeerSession {
      let session = try Session(socket, callsAtOnce: form.way == "scripts" ? 256 : 1)
      try session.command(["CONFIG", "SET", "appendfsync", durability == .durable ? "always" : "everysec"])
      return session
    }

    package func close() {}

    private final class Session: PeerSession, @unchecked Sendable {
      // Safe to pass on: one thread uses a session at a time.
      private let context: UnsafeMutablePointer<redisContext>
      private let callsAtOnce: Int
      private var script = ""

      /// Keys: for each debit its account and its request. Arguments: for each its amount and its record.
      private static let text = """
        local done = 0
        for i = 1, #KEYS, 2 do
          local left = tonumber(redis.call('GET', KEYS[i]) or '-1') - tonumber(ARGV[i])
          if left >= 0 and redis.call('SET', KEYS[i + 1], ARGV[i + 1] .. string.format('%.0f', left), 'NX') then
            redis.call('DECRBY', KEYS[i], ARGV[i])
            done = done + 1
          end
        end
        return done
        """

      init(_ socket: String, callsAtOnce: Int) throws {
        guard let context = redisConnectUnix(socket) else { throw PeerFailure("Redis", "connect", socket) }
        self.context = context
        self.callsAtOnce = callsAtOnce
        guard context.pointee.err == 0 else { throw failure("connect") }
        script = try text(["SCRIPT", "LOAD", Session.text])
      }

      func debit(_ debits: [PeerDebit]) throws -> Int {
        var calls = 0
        for start in stride(from: 0, to: debits.count, by: callsAtOnce) {
          append(debits[start..<min(start + callsAtOnce, debits.count)])
          calls += 1
        }
        var done = 0
        for _ in 0..<calls {
          try reply("debit") { done += Int($0.pointee.integer) }
        }
        return done
      }

      /// Puts a call of the script into the output buffer.
      private func append(_ debits: ArraySlice<PeerDebit>) {
        var bytes: [UInt8] = []
        var lengths: [Int] = []
        func add(_ word: some Sequence<UInt8>) {
          let before = bytes.count
          bytes.append(contentsOf: word)
          lengths.append(bytes.count - before)
        }
        add("EVALSHA".utf8)
        add(script.utf8)
        add(String(debits.count * 2).utf8)
        for debit in debits {
          add("a\(debit.account)".utf8)
          withUnsafeBytes(of: debit.request) { request in add(CollectionOfOne(UInt8(ascii: "r")) + Array(request)) }
        }
        for debit in debits {
          add(String(debit.amount).utf8)
          let record = Record(debit, balance: 0)
          withUnsafeBytes(of: record) { add($0) }
        }
        bytes.withUnsafeBufferPointer { bytes in
          var place = 0
          let start = UnsafeRawPointer(bytes.baseAddress)?.assumingMemoryBound(to: CChar.self)
          var words: [UnsafePointer<CChar>?] = lengths.map { length in
            defer { place += length }
            return start?.advanced(by: place)
          }
          _ = redisAppendCommandArgv(context, Int32(words.count), &words, lengths)
        }
      }

      func command(_ words: [String]) throws {
        send(words)
        try reply(words[0]) { _ in }
      }

      func text(_ words: [String]) throws -> String {
        send(words)
        var text = ""
        try reply(words[0]) { reply in text = String(cString: reply.pointee.str) }
        return text
      }

      /// The sum of the integers of an answer that is a list of texts.
      func sum(_ words: [String]) throws -> Int64 {
        send(words)
        var sum: Int64 = 0
        try reply(words[0]) { reply in
          for index in 0..<Int(reply.pointee.elements) {
            guard let text = reply.pointee.element[index]?.pointee.str else { continue }
            sum += Int64(String(cString: text)) ?? 0
          }
        }
        return sum
      }

      private func send(_ words: [String]) {
        let strings = words.map { strdup($0) }
        defer { strings.forEach { free($0) } }
        var pointers = strings.map { UnsafePointer<CChar>($0) }
        _ = redisAppendCommandArgv(context, Int32(words.count), &pointers, words.map(\.utf8.count))
      }

      private func reply(_ what: String, _ body: (UnsafeMutablePointer<redisReply>) -> Void) throws {
        var answer: UnsafeMutableRawPointer?
        guard redisGetReply(context, &answer) == REDIS_OK, let answer else { throw failure(what) }
        defer { freeReplyObject(answer) }
        let reply = answer.assumingMemoryBound(to: redisReply.self)
        if reply.pointee.type == REDIS_REPLY_ERROR {
          throw PeerFailure("Redis", what, String(cString: reply.pointee.str))
        }
        body(reply)
      }

      private func failure(_ what: String) -> PeerFailure {
        PeerFailure(
          "Redis", what,
          withUnsafeBytes(of: context.pointee.errstr) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
      }

      func close() { redisFree(context) }
    }
  }
#endif
