import COpenBLAS

/// What is known of the library that multiplies matrices.
package enum LinearAlgebra {
  /// The processor that OpenBLAS chose its kernels for, such as "Haswell"; OPENBLAS_CORETYPE forces one.
  package static var core: String { String(cString: openblas_get_corename()) }

  /// The library's version and build options, such as "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH".
  package static var configuration: String { String(cString: openblas_get_config()) }
}
