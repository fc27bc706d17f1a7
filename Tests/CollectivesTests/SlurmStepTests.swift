import Collectives
import Testing

@Suite struct SlurmStepTests {
  private let srun = ["SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "4"]

  private func step(_ more: [String: String]) throws -> SlurmStep {
    try #require(SlurmStep(environment: srun.merging(more) { $1 }))
  }

  @Test func `a process of a batch script or of mpirun is no step of srun`() {
    #expect(SlurmStep(environment: ["SLURM_NTASKS": "4", "SLURM_PROCID": "0"]) == nil)
    #expect(SlurmStep(environment: srun.merging(["OMPI_COMM_WORLD_SIZE": "8"]) { $1 }) == nil)
  }

  @Test func `tasks that cannot find each other are refused as a mistake of usage`() throws {
    #expect(throws: CommunicationError.noPMIx(tasks: 4)) { try step([:]).prepare() }
    let error = CommunicationError.noPMIx(tasks: 4)
    #expect(error.exitCode == 64)
    #expect(error.description.contains("4 tasks") && error.description.contains("--mpi=pmix"))
  }

  @Test(arguments: ["PMIX_NAMESPACE", "PMI_RANK"])
  func `tasks with a connection may start and are refused if each is alone`(name: String) throws {
    let step = try step([name: "slurm.pmix.1.0"])
    try step.prepare()
    try step.check(worldSize: 4)
    #expect(throws: CommunicationError.noPMIx(tasks: 4)) { try step.check(worldSize: 1) }
  }

  @Test(arguments: [["SLURM_STEP_NUM_TASKS": "1"], ["SLURM_PTY_PORT": "40000"]])
  func `one task, or the shell of a terminal, is a world of its own`(more: [String: String]) throws
  {
    let step = try step(more)
    try step.prepare()
    try step.check(worldSize: 1)
  }
}
