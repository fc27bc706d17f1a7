import Foundation
import Imaging
import Tensors
import Training

/// The entry of libFuzzer: reads one input as LKDIST_FUZZ says, `nifti`, `json` or `safetensors`.
///
/// Whatever the bytes, readers return a value or throw an `ImagingError` or `TrainingError`; all else
/// is a crash.
@_cdecl("LLVMFuzzerTestOneInput")
func readOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
  switch FuzzInput.kind {
  case "nifti": FuzzInput.readNIfTI(bytes)
  case "json": FuzzInput.readDescription(bytes)
  case "safetensors": FuzzInput.readCheckpoint(bytes)
  default: fatalError("LKDIST_FUZZ is \(FuzzInput.kind), not nifti, json or safetensors")
  }
  return 0
}

/// The readers under test.
enum FuzzInput {
  static let kind = ProcessInfo.processInfo.environment["LKDIST_FUZZ"] ?? ""

  /// A folder in memory for the inputs as files.
  private static let folder = {
    let path = "/dev/shm/lkdist-fuzz-\(getpid())"
    mkdir(path, 0o700)
    atexit { try? FileManager.default.removeItem(atPath: "/dev/shm/lkdist-fuzz-\(getpid())") }
    return path
  }()

  /// Reads an input as an image and as a label map, under both endings.
  static func readNIfTI(_ bytes: [UInt8]) {
    for name in ["input.nii", "input.nii.gz"] {
      let path = write(bytes, to: name)
      do throws(ImagingError) {
        let volume = try NIfTI.readImage(path, allowsNonFinite: true)
        precondition(volume.geometry.extent == volume.grid.shape.extent)
      } catch { check(error, path) }
      do throws(ImagingError) { _ = try NIfTI.readLabels(path) } catch { check(error, path) }
      _ = FileScan(path, isLabelMap: true)
    }
  }

  /// Reads an input as the description of a data set, in each layout that has one.
  static func readDescription(_ bytes: [UInt8]) {
    if let json = try? JSON.parse(bytes) {
      let again = try? JSON.parse(json.text)
      precondition(again == json, "written and read again, \(json.text) is another value")
    }
    let path = write(bytes, to: "dataset.json")
    for layout in [DatasetLayout.msd, .nnunet, .datalist] {
      do throws(ImagingError) { _ = try Dataset.load(path, layout: layout) } catch {
        check(error, folder)
      }
    }
    do throws(ImagingError) { _ = try Dataset.labels(of: path) } catch { check(error, path) }
  }

  /// Reads an input as a checkpoint: header, metadata, tensors with their checksum.
  static func readCheckpoint(_ bytes: [UInt8]) {
    let path = write(bytes, to: "input.safetensors")
    do throws(TrainingError) {
      let checkpoint = try Checkpoint(path)
      let entries = checkpoint.file.entries
      let sizes = entries.map { $0.shape.reduce(1, *) }
      precondition(4 * sizes.reduce(0, +) <= bytes.count, "tensors larger than the file")
      let tensors = zip(entries, sizes).map { entry, size in
        NamedTensor(name: entry.name, shape: entry.shape, values: FloatBuffer(zeros: size).slice)
      }
      try checkpoint.verify()
      try checkpoint.load(weights: tensors)
      try checkpoint.setPostprocessing([])
    } catch {
      precondition(!error.description.isEmpty, "an error of \(path) says nothing")
    }
  }

  private static func check(_ error: ImagingError, _ path: String) {
    precondition(!error.description.isEmpty, "an error of \(path) says nothing")
  }

  private static func write(_ bytes: [UInt8], to name: String) -> String {
    let path = "\(folder)/\(name)"
    guard let file = fopen(path, "wb") else { fatalError("\(path) cannot be written") }
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
    return path
  }
}
