import COpenBLAS

/// A row-major matrix product C = A B or C += A B on the calling thread.
struct MatrixProduct {
  var rows: Int
  var columns: Int
  /// The length of the sums.
  var depth: Int
  /// Whether A is stored [depth][rows].
  var transposeA = false
  /// Whether B is stored [columns][depth].
  var transposeB = false

  // The threads are the team's: one product runs on one thread.
  private static let isSingleThreaded: Bool = {
    openblas_set_num_threads(1)
    return true
  }()

  /// Adds to C if `accumulate`; `pitch` values are the floats between rows of each matrix.
  func callAsFunction(
    _ a: UnsafePointer<Float>, pitch aPitch: Int, _ b: UnsafePointer<Float>, pitch bPitch: Int,
    into c: UnsafeMutablePointer<Float>, pitch cPitch: Int, accumulate: Bool
  ) {
    precondition(Self.isSingleThreaded)
    cblas_sgemm(
      CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
      Int32(rows), Int32(columns), Int32(depth), 1, a, Int32(aPitch), b, Int32(bPitch),
      accumulate ? 1 : 0, c, Int32(cPitch))
  }
}
