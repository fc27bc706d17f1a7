import Collectives

/// Ends the job in the way that `mode` names, for mpirun-tests.sh, which looks at code and message:
/// "fail" on the last rank while the others wait for it, "throw" an MPI error there, or "leave".
func breakOnPurpose(_ mode: String, world: Communicator) throws {
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

/// An error with nobody to finalize MPI on its way.
private struct Left: Error, CustomStringConvertible {
  var description: String { "left without a word" }
}
