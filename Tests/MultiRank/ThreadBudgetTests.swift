import Collectives

/// The threads that ranks of one host give themselves.
func threadBudgetTests() -> [MultiRankTest] {
  [
    MultiRankTest("a flag's thread count holds on every rank") { world, checks in
      let budget = try ThreadBudget.ofThisRank(flag: 3, world: world)
      checks.equal(budget.threads, 3)
      checks.equal(budget.source, .flag)
    },
    MultiRankTest("ranks share the processors of their host") { world, checks in
      let budget = try ThreadBudget.ofThisRank(flag: nil, world: world)
      checks.expect(budget.threads >= 1)
      guard budget.source == .share else { return }
      let threads = try world.allreduceSum(budget.threads)
      checks.expect(
        threads <= max(budget.processors.count, world.size),
        "\(threads) threads on processors \(budget.processors)")
    },
  ]
}
