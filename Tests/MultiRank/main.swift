import Collectives

// Tests that need several ranks: `scripts/mpirun-tests.sh` runs this for 1, 2, 3 and 4 ranks.
// To add some: write a file with a function that returns `[MultiRankTest]`, as ReducerTests.swift
// does, and add its call to this list.
// Those of memory come first, while none that other tests have freed hides what is taken.
let allTests =
  mappedMemoryTests() + communicatorTests() + reducerTests() + compressionTests()
  + threadBudgetTests() + trainerTests() + replicaTests() + badStepTests() + outlierTests()
  + exactnessTests() + shardTests() + checkpointTests() + validationTests() + cacheTests()
  + probeTests() + predictionTests()

do {
  let session = try MPISession()
  let mode = CommandLine.arguments.dropFirst().first
  if let mode { try runAlone(mode, world: session.world) }
  let failures = mode == nil ? try run(allTests, world: session.world) : 0
  try session.finalize()
  if failures > 0 { fail("\(failures) tests failed", code: 1) }
} catch {
  fail("\(error)", code: (error as? CommunicationError)?.exitCode ?? 70)
}
