import Foundation
import TestSupport
import Testing

/// A run whose data make the loss overflow, as a user sees it.
@Suite(.serialized) struct BadStepCommandTests {
  @Test func `bad steps in a row end the run with code 65 and name the subject`() throws {
    let data = try TinyDataset()
    let run = data.folder.file("run")
    for subject in 1...2 { try data.fillImage(subject, with: 1e38) }
    // Augmentation may bring such values back into range.
    let result = try Command.lkdist(
      ranks: 2, "train", data.configuration, "--output", run, "--set", "data.normalization=none",
      "--set", "augmentation.preset=none", "--set", "training.maximumBadSteps=2")
    #expect(result.code == 65, "\(result.errors)")
    let log = try String(contentsOfFile: run + "/train.log", encoding: .utf8)
    for text in [
      "step 1: loss or gradient is not finite, the step is skipped", "rank 0 on ", "rank 1 on ",
      "subject case_1, patch ", "subject case_2, patch ",
      "not finite in the forward pass, in encoder.0; written to \(run)/bad-steps/step-1-case_",
      "error: 2 steps in a row had a loss or gradient that is not finite", "after step 0",
    ] {
      #expect(log.contains(text) && result.errors.contains(text), "\(text) in \(result.errors)")
    }
    let written = try FileManager.default.contentsOfDirectory(atPath: run + "/bad-steps")
    #expect(written.count == 2 * 2 * 2, "\(written)")
    #expect(!result.errors.contains("MPI_ABORT"))
    #expect(FileManager.default.fileExists(atPath: run + "/checkpoints/last.safetensors"))
  }

  @Test func `a step whose gradient norm is an outlier is skipped and its subjects are named`()
    throws
  {
    let data = try TinyDataset()
    let run = data.folder.file("run")
    // So slow a run has norms that only scatter, of which so low a limit takes about half for outliers.
    let result = try Command.lkdist(
      ranks: 2, "train", data.configuration, "--output", run, "--set",
      "training.outlierZScore=0.001", "--set", "optimizer.learningRate=1.0e-6", "--set",
      "training.stepsPerEpoch=30", "--set", "training.epochs=1")
    #expect(result.code == 0, "\(result.errors)")
    let log = try String(contentsOfFile: run + "/train.log", encoding: .utf8)
    for text in [
      "is an outlier, ",
      "deviations above the last good steps' (training.outlierZScore), the step is",
      "rank 0 on ", "rank 1 on ", ": subject case_", " of epoch 1 from voxel ",
    ] {
      #expect(log.contains(text), "\(text) in \(log)")
    }
    #expect(!FileManager.default.fileExists(atPath: run + "/bad-steps"))
  }
}
