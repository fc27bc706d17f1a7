import Imaging

/// Imaging reads the descriptions of data sets as JSON; Training writes its files with the same type.
package typealias JSON = Imaging.JSON
package typealias JSONError = Imaging.JSONError
