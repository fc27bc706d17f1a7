/// Finds what a user most likely meant by a misspelt word.
enum Spelling {
  /// The number of insertions, deletions and substitutions between two words, capitals ignored.
  static func distance(_ a: String, _ b: String) -> Int {
    let a = Array(a.lowercased())
    let b = Array(b.lowercased())
    var row = Array(0...b.count)
    for i in a.indices {
      var diagonal = row[0]
      row[0] = i + 1
      for j in b.indices {
        let substituted = diagonal + (a[i] == b[j] ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
      }
    }
    return row[b.count]
  }

  /// The word of `words` nearest to `word`; the first of equally near ones.
  static func nearest(to word: String, in words: [String]) -> String? {
    words.min { distance(word, $0) < distance(word, $1) }
  }
}
