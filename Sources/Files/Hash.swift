import COpenSSL

/// A SHA-256 in the making, computed by OpenSSL.
package final class Hash {
  private let context = EVP_MD_CTX_new()

  package init() {
    let isReady = EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1
    precondition(isReady, "OpenSSL has no SHA-256")
  }

  deinit { EVP_MD_CTX_free(context) }

  /// Adds bytes.
  package func update(_ bytes: UnsafeRawBufferPointer) {
    EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
  }

  /// Adds bytes.
  package func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

  /// Ends the hash of all bytes: 64 hexadecimal digits.
  package func hexadecimal() -> String {
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var count: UInt32 = 0
    EVP_DigestFinal_ex(context, &digest, &count)
    return digest.prefix(Int(count)).map { byte in
      (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }
}
