/// Who started this process and how many ranks were meant, as the environment tells before MPI starts.
package struct Launcher: Equatable, Sendable {
  /// A way to start ranks.
  package enum Kind: String, Sendable {
    case mpirun, srun
    /// The launcher of MPICH or Intel MPI, which Open MPI's ranks do not find each other under.
    case hydra = "the mpirun of MPICH or Intel MPI"
    case none = "no launcher"
  }
  package let kind: Kind
  /// The number of ranks that the launcher started; 1 without one.
  package let ranks: Int
  /// This process's number among them, if the launcher told it.
  package let rank: Int?

  /// Reads the variables that Open MPI's mpirun, srun, and Hydra set.
  package init(environment: [String: String]) {
    func number(_ name: String) -> Int? { environment[name].flatMap { Int($0) } }
    if let size = number("OMPI_COMM_WORLD_SIZE") {
      (kind, ranks, rank) = (.mpirun, size, number("OMPI_COMM_WORLD_RANK"))
    } else if let step = SlurmStep(environment: environment) {
      (kind, ranks, rank) = (.srun, step.tasks, number("SLURM_PROCID"))
    } else if let size = number("PMI_SIZE") {
      (kind, ranks, rank) = (.hydra, size, number("PMI_RANK"))
    } else {
      (kind, ranks, rank) = (.none, 1, nil)
    }
  }
}
