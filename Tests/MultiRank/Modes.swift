import Collectives

/// Does what `mode` names and ends the job, for mpirun-tests.sh, which looks at code and message:
/// "threads" prints each rank's threads; "fail" fails on the last rank while the others wait for
/// it, "throw" throws an MPI error there and "leave" another one; for "allocations" see
/// `printLargestAllocation`, for "train-crash" `trainUntilCrash`, for "watch-…" `runWatched`.
func runAlone(_ mode: String, world: Communicator) throws {
  if mode == "threads" { return try printThreads(world: world) }
  if mode == "allocations" { return try printLargestAllocation() }
  if mode == "train-crash" { try trainUntilCrash(world: world) }
  if mode.hasPrefix("watch-") { return try runWatched(mode, world: world) }
  if world.rank == world.size - 1 {
    switch mode {
    case "fail": fail("the image is damaged", code: 65)
    case "throw": _ = try world.broadcast([1], root: world.size)
    case "leave": throw Left()
    default: fail("no such failure mode: \(mode)", code: 64)
    }
  }
  // A spinning barrier: no rank comes out of it while the last one is missing.
  try world.barrier()
  fail("nothing went wrong in mode \(mode)", code: 70)
}

/// Trains under a watchdog; in forward of its second step the last rank meets a programmer's mistake.
private func trainUntilCrash(world: Communicator) throws {
  let (trainer, data) = try makeTrainer(world)
  let watchdog = try Watchdog(trainer.activity, over: world, timeout: 3) { say($0) }
  let report = trainer.model.inspect
  trainer.model.inspect = { part, output in
    report?(part, output)
    guard world.rank == world.size - 1, trainer.state.step == 1 else { return }
    fatalError("a mistake in \(trainer.activity.beat)")
  }
  _ = try withExtendedLifetime(data) { try trainer.run() }
  watchdog.stop()
}

private func printThreads(world: Communicator) throws {
  let budget = try ThreadBudget.ofThisRank(flag: nil, world: world)
  let own =
    "rank \(world.rank): \(budget.threads) threads on processors \(budget.processors) "
    + "by \(budget.source.rawValue)"
  let all = try world.gather(own) ?? []
  let notes = try budget.notes(ofAll: world)
  if world.rank == 0 { say((all + notes).joined(separator: "\n")) }
}

/// An error with nobody to finalize MPI on its way.
private struct Left: Error, CustomStringConvertible {
  var description: String { "left without a word" }
}
