import Harness
import Testing

@Suite("How debits are spread over accounts")
struct DistributionTests {
  @Test("every account that comes is one of those there are", arguments: Distribution.Kind.allCases, [1, 2, 1_000])
  func bounds(_ kind: Distribution.Kind, _ accounts: Int) {
    let spread = Distribution(kind, accounts: accounts)
    var dice = Dice(1)
    for _ in 0..<10_000 { #expect((1...accounts).contains(spread.next(&dice))) }
  }

  @Test("the uniform distribution gives each of ten accounts a tenth")
  func uniform() {
    let spread = Distribution(.uniform, accounts: 10)
    var dice = Dice(2)
    var counts = [Int](repeating: 0, count: 11)
    for _ in 0..<100_000 { counts[spread.next(&dice)] += 1 }
    for count in counts.dropFirst() { #expect((9_500...10_500).contains(count)) }
  }

  @Test("the Zipfian distribution gives the first ranks what the law says")
  func zipfian() {
    let accounts = 1_000
    let spread = Distribution(.zipfian, accounts: accounts)
    var dice = Dice(3)
    var counts = [Int](repeating: 0, count: accounts)
    let draws = 400_000
    for _ in 0..<draws { counts[spread.rank(dice.unit())] += 1 }
    // One over the sum of 1/k^0.99 for k up to 1,000, which is 7.73.
    let first = Double(counts[0]) / Double(draws)
    #expect(abs(first - 1 / 7.729) < 0.005)
    #expect(abs(Double(counts[0]) / Double(counts[1]) - 1.986) < 0.05)
    #expect(counts[0] > counts[9] && counts[9] > counts[99] && counts[99] > counts[999])
  }

  @Test("the sum of many accounts is close to what counting gives, although its end is an integral")
  func manyAccounts() {
    // The most popular account's part is one over the sum: with 11 million accounts 1 / 17.9.
    let spread = Distribution(.zipfian, accounts: 11_000_000)
    var dice = Dice(4)
    var first = 0
    for _ in 0..<200_000 where spread.rank(dice.unit()) == 0 { first += 1 }
    #expect(abs(Double(first) / 200_000 - 1 / 18.2) < 0.002)
  }

  @Test("one hot account gets everything")
  func hot() {
    let spread = Distribution(.hot, accounts: 1_000_000)
    var dice = Dice(5)
    for _ in 0..<100 { #expect(spread.next(&dice) == 1) }
  }

  @Test("dice with one seed give the same numbers, with another seed others")
  func dice() {
    var (one, same, other) = (Dice(6), Dice(6), Dice(7))
    let numbers = (0..<100).map { _ in one.next() }
    #expect(numbers == (0..<100).map { _ in same.next() })
    #expect(numbers != (0..<100).map { _ in other.next() })
  }
}
