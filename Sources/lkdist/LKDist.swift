import ArgumentParser
import Training

/// Trains the large-kernel-attention U-Net on clusters of CPU nodes.
@main
struct LKDist: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "lkdist")
}
