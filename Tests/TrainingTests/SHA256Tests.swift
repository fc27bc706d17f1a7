import Testing

import Training

/// Vectors of FIPS 180-4's examples and NIST's long message of a million letters.
@Suite struct SHA256Tests {
  private func hash(_ text: String) -> String {
    var hash = SHA256()
    hash.update(Array(text.utf8))
    return hash.hexadecimal
  }

  @Test func `the standard's examples have the standard's hashes`() {
    #expect(hash("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(hash("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(
      hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
        == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
    #expect(
      hash(String(repeating: "a", count: 1_000_000))
        == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  @Test func `the hash does not depend on how the bytes come`() {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    for length in [0, 1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 121, 128, 1000] {
      var whole = SHA256()
      whole.update(Array(bytes.prefix(length)))
      for piece in [1, 7, 63, 64, 65, 200] {
        var parts = SHA256()
        for start in stride(from: 0, to: length, by: piece) {
          parts.update(Array(bytes[start..<min(start + piece, length)]))
        }
        #expect(parts.hexadecimal == whole.hexadecimal, "\(length) bytes by \(piece)")
      }
    }
  }
}
