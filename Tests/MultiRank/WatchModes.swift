import Collectives
import Foundation

/// Seconds without progress in `runWatched`.
private let watchTimeout = 3.0

/// Runs a job under a watchdog, for mpirun-tests.sh: all modes but "watch-validation" and
/// "watch-suspend" must end by it, with code 71.
func runWatched(_ mode: String, world: Communicator) throws {
  let activity = Activity()
  let watchdog = try Watchdog(activity, over: world, timeout: watchTimeout) {
    say("reported: \($0)")
    // As a log on a file system that is gone.
    if mode == "watch-hanging-log" { sleep(1000) }
  }
  // Before the watch has sent anything.
  if mode == "watch-stop-early", isLast(world) { raise(SIGSTOP) }
  activity.begin(.load, step: 17)
  switch mode {
  case "watch-stop-early": break
  case "watch-hang", "watch-hanging-log": if isLast(world) { hang(activity) }
  case "watch-stop": if isLast(world) { stopSelf() }
  case "watch-stop-root": if world.rank == 0 { stopSelf() }
  case "watch-deadlock": try waitInDifferentPlaces(world, activity)
  case "watch-validation": if world.rank == 0 { validate(activity) }
  case "watch-suspend":
    try world.barrier()
    stopSelf(for: 2 * watchTimeout)
    sleep(1)
  default: fail("no such mode: \(mode)", code: 64)
  }
  activity.begin(.barrier)
  try world.barrier()
  watchdog.stop()
  if world.rank == 0 { say("nobody was late") }
}

/// Works without an end while the others wait.
private func hang(_ activity: Activity) {
  activity.begin(.forward, "case_1")
  activity.reach("decoder.1")
  sleep(1000)
}

private func waitInDifferentPlaces(_ world: Communicator, _ activity: Activity) throws {
  let other = try world.duplicate()
  activity.begin(.allreduce, step: isLast(world) ? 17 : 18)
  try (isLast(world) ? other : world).barrier()
}

/// Long but healthy validation.
private func validate(_ activity: Activity) {
  for subject in 0..<Int(2 * watchTimeout / 0.25) {
    activity.begin(.validation, "case_\(subject)")
    usleep(250_000)
  }
}

private func isLast(_ world: Communicator) -> Bool { world.rank == world.size - 1 }

/// Stops this process with SIGSTOP; a shell wakes it `seconds` later, if those are given.
private func stopSelf(for seconds: Double? = nil) {
  // The others hear of this rank first.
  sleep(1)
  if let seconds {
    let shell = Process()
    shell.executableURL = URL(fileURLWithPath: "/bin/sh")
    shell.arguments = ["-c", "sleep \(seconds); kill -CONT \(getpid())"]
    do { try shell.run() } catch { fail("\(error)", code: 70) }
  }
  raise(SIGSTOP)
}
