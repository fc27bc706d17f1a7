import Collectives
import Foundation
import NN
import Tensors
import Training

/// Prints the largest block of memory that forward, backward and update of a whole network take from
/// the C library, once the steps before have filled the pool. The script preloads glibc's tracing
/// allocator, which writes a line for each block to the file MALLOC_TRACE.
func printLargestAllocation() throws {
  guard let file = ProcessInfo.processInfo.environment["MALLOC_TRACE"],
    let begin = function("mtrace"), let end = function("muntrace")
  else { fail("no tracing allocator: preload libc_malloc_debug.so.0, set MALLOC_TRACE", code: 64) }
  let step = try wholeStep()
  for _ in 0..<2 { step() }
  begin()
  step()
  end()
  let sizes = try blockSizes(inTrace: file)
  let largest = sizes.max() ?? 0
  // An array of 4 KiB has a header of 32 bytes.
  say(
    "\(sizes.count) blocks, \(largest <= 4096 + 32 ? "none" : "some") above 4 KiB: "
      + "the largest has \(largest) bytes")
}

/// A training step of the paper's network on random voxels.
private func wholeStep() throws -> () -> Void {
  let compute = Compute(threads: 2)
  let configuration = ModelConfiguration(
    inputs: 4, outputs: 3, attention: ModelConfiguration.mid(scales: 6))
  let model = try LKUNet(configuration, on: compute, seed: 1)
  let optimizer = Adam(count: model.parameters.count)
  let extent = Extent(depth: 32, height: 32, width: 32)
  let voxels = { (channels: Int) in
    VoxelGrid(
      Shape(channels: channels, extent: extent),
      values: (0..<channels * extent.voxels).map { Float($0 % 7) / 7 })
  }
  let (image, target) = (voxels(4), Target.regions(voxels(3)))
  return {
    model.parameters.zeroGradients()
    let loss = Loss.diceBCE(model.forward(image), target: target, scale: 1, on: compute)
    model.backward(loss.gradients) { _ in }
    optimizer.update(model.parameters, learningRate: 3e-4, on: compute)
  }
}

/// The bytes of each block in a trace: "@ caller + 0xaddress 0xsize", ">" for "+" where resized.
private func blockSizes(inTrace file: String) throws -> [Int] {
  try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").compactMap { line in
    let words = line.split(separator: " ")
    guard words.contains("+") || words.contains(">") else { return nil }
    return words.last.flatMap { Int($0.dropFirst(2), radix: 16) }
  }
}

// glibc 2.34 and newer keep these symbols for old programs alone, which name their version.
private func function(_ name: String) -> (@convention(c) () -> Void)? {
  typealias Name = UnsafePointer<CChar>
  typealias Find = @convention(c) (UnsafeRawPointer?, Name, Name) -> UnsafeRawPointer?
  guard let find = dlsym(nil, "dlvsym").map({ unsafeBitCast($0, to: Find.self) }) else {
    return nil
  }
  return find(nil, name, "GLIBC_2.2.5").map {
    unsafeBitCast($0, to: (@convention(c) () -> Void).self)
  }
}
