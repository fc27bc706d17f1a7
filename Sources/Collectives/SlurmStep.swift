import Foundation

/// The tasks that one `srun` started together, as each of them sees it in its environment.
///
/// Seen with Slurm 22.05 and Open MPI 4.1.4: without `--mpi=pmix` the tasks cannot find each other.
/// Open MPI 4 then ends the process inside MPI_Init, Open MPI 5 makes each task a world of one.
package struct SlurmStep: Equatable, Sendable {
  /// The number of tasks.
  package let tasks: Int
  /// Whether something but Slurm's own variables lets MPI find the other tasks.
  let hasConnection: Bool

  /// Nil for a process that srun did not start; one under mpirun, whose daemons srun may have
  /// started, belongs to mpirun.
  package init?(environment: [String: String]) {
    guard environment["OMPI_COMM_WORLD_SIZE"] == nil, environment[Self.mark] != nil,
      let tasks = environment["SLURM_STEP_NUM_TASKS"].flatMap({ Int($0) })
    else { return nil }
    // Of `srun --pty` only the first task has a user.
    self.tasks = environment["SLURM_PTY_PORT"] == nil ? tasks : 1
    // PMI_RANK is that of `--mpi=pmi2`, which an Open MPI may have been built for.
    hasConnection = environment["PMIX_NAMESPACE"] != nil || environment["PMI_RANK"] != nil
  }

  /// By which Open MPI knows a process that srun started.
  private static let mark = "SLURM_STEP_ID"

  /// Lets a task alone start MPI without PMIx; to be called before MPI starts.
  ///
  /// - Throws: `noPMIx` where several tasks would each train the whole model.
  package func prepare() throws(CommunicationError) {
    guard !hasConnection else { return }
    guard tasks == 1 else { throw .noPMIx(tasks: tasks) }
    unsetenv(Self.mark)
  }

  /// Compares the step with the world that MPI has made of it.
  ///
  /// - Throws: `noPMIx` where the world is this task alone.
  package func check(worldSize: Int) throws(CommunicationError) {
    guard worldSize > 1 || tasks == 1 else { throw .noPMIx(tasks: tasks) }
  }
}
