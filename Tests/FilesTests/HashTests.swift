import Files
import Testing

@Suite struct HashTests {
  @Test func `the hash is that of FIPS 180-4, however the bytes come`() {
    let hash = Hash()
    for letter in ["a", "bc"] { hash.update(Array(letter.utf8)) }
    #expect(
      hash.hexadecimal() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }
}
