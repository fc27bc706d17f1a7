import Imaging
import TestSupport
import Testing

/// `lkdist doctor`, as a user runs it.
@Suite(.serialized) struct DoctorCommandTests {
  private func status(_ check: String, in output: String) throws -> String? {
    guard case .array(let lines) = try JSON.parse(output)["lines"] else { return nil }
    return lines.first { $0["check"]?.string == check }?["status"]?.string
  }

  /// Runs it with variables of the environment.
  private func doctor(_ variables: String..., flags: [String] = ["--json"]) throws
    -> Command.Result
  {
    try Command.run(["/usr/bin/env"] + variables + [Command.lkdist, "doctor"] + flags)
  }

  @Test func `two ranks of a sound host have no error and nothing is left behind`() throws {
    let folder = try TemporaryFolder()
    let result = try Command.lkdist(ranks: 2, "doctor", "--folder", folder.path)
    #expect(result.code == 0, "\(result.output)\(result.errors)")
    for part in [
      "ok       launcher      mpirun, 2 ranks, Open MPI", "MPI_THREAD_MULTIPLE",
      "1 host, ranks on each: ", " 16 MiB of gradients are summed at ", "0 errors, ",
    ] {
      #expect(result.output.contains(part), "\(part) in \(result.output)")
    }
    #expect(folder.names.isEmpty)
  }

  @Test func `a folder that is not there is an error with its fix`() throws {
    let result = try Command.lkdist("doctor", "--folder", "/nowhere/runs")
    #expect(result.code == 1)
    #expect(result.output.contains("error    file system   /nowhere/runs: No such file"))
    #expect(result.output.contains("fix: choose a folder that can be written"))
  }

  @Test func `tasks of srun without PMIx are an error, told once`() throws {
    let step = ["SLURM_STEP_ID=0", "SLURM_STEP_NUM_TASKS=4"]
    let first = try doctor(step[0], step[1], "SLURM_PROCID=0")
    #expect(first.code == 1)
    #expect(try status("launcher", in: first.output) == "error")
    let second = try doctor(step[0], step[1], "SLURM_PROCID=1")
    #expect(second.code == 1 && second.output.isEmpty)
  }

  @Test func `a launcher of another MPI is an error`() throws {
    let result = try doctor("PMI_SIZE=4", "PMI_RANK=0")
    #expect(result.code == 1)
    #expect(try status("launcher", in: result.output) == "error")
  }

  @Test func `an instruction set that is not there is a warning`() throws {
    let result = try doctor("LKDIST_ISA=sse9")
    #expect(result.code == 0)
    #expect(try status("instructions", in: result.output) == "warning")
  }

  @Test func `kernels of OpenBLAS for an old processor are a warning`() throws {
    let result = try doctor("OPENBLAS_CORETYPE=Prescott", "LKDIST_ISA=avx2")
    #expect(result.code == 0)
    #expect(try status("OpenBLAS", in: result.output) == "warning")
  }

  @Test func `limits of the shell are warnings`() throws {
    let command = "ulimit -v 4000000; ulimit -n 200; exec \(Command.lkdist) doctor"
    let result = try Command.run(["/bin/sh", "-c", command])
    #expect(result.code == 0, "\(result.output)\(result.errors)")
    #expect(result.output.contains("may take 3.8 GiB of the host's"))
    #expect(result.output.contains("may open 200 files"))
  }

  @Test func `a speed that is none is refused`() throws {
    let result = try Command.lkdist("doctor", "--network", "fast")
    #expect(result.code == 64)
  }
}
