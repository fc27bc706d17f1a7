import CKernels
import Foundation

/// The vector instructions that the kernels use, chosen once per process.
package enum InstructionSet {
  /// The set in use: "avx512", "avx2" or "baseline"; the variable LKDIST_ISA forces one.
  package static var active: String { String(cString: lk_active()) }

  /// What to tell the user when LKDIST_ISA asks for a set this machine does not have, else nil.
  package static var diagnostic: String? {
    guard let forced = ProcessInfo.processInfo.environment["LKDIST_ISA"], forced != active
    else { return nil }
    return "LKDIST_ISA=\(forced) is unknown or not supported by this processor: using \(active);"
      + " choose avx512, avx2 or baseline, or unset it"
  }
}
