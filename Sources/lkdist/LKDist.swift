import ArgumentParser
import Training

/// `lkdist`: its subcommands, and what happens to their errors.
@main
struct LKDist: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lkdist",
    abstract: "Trains the large-kernel-attention U-Net on clusters of CPU nodes.",
    discussion: """
      Examples:
        lkdist sample demo                          a small real data set with its configuration
        lkdist init Task04_Hippocampus              write lkdist.yaml for your own data
        lkdist check Task04_Hippocampus             read every file, list what is wrong
        lkdist plan --ranks 8                       what that will take: memory, hours
        mpirun -n 8 lkdist train                    train with 8 ranks on ./lkdist.yaml
        lkdist predict --checkpoint runs/demo/checkpoints/best.safetensors -i scan.nii.gz -o out.nii.gz
        lkdist evaluate out labelsTr -o metrics.json
        lkdist export runs/demo/checkpoints/best.safetensors --onnx demo.onnx --card demo.md
        lkdist report runs/demo                     curves, scores and pictures as one page
      """,
    version: Version.current,
    subcommands: [
      TrainCommand.self, SampleCommand.self, InitCommand.self, CheckCommand.self,
      PredictCommand.self, EvaluateCommand.self, TunePostprocessingCommand.self,
      ReportCommand.self, ExportCommand.self, ImportCommand.self, AugmentCommand.self,
      BenchCommand.self, PlanCommand.self, SimulateCommand.self, DoctorCommand.self,
    ])

  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      Failure.exit(with: error)
    }
  }
}
