/// How closely kernels round.
package enum Precision: String, Sendable, CaseIterable {
  /// The fastest kernels; a relative rms error up to 2e-5 in single precision.
  case fast
  /// Kernels with a relative rms error up to 1e-6.
  case exact
}

/// What a kernel computes with: the rank's threads and its memory pool.
package final class Compute: Sendable {
  package let team: ThreadTeam
  package let pool: MemoryPool
  package let precision: Precision
  /// Where layers note their time, if anyone wants to know.
  package let profile: Profile?

  /// A team of `threads` threads with an empty pool.
  package init(threads: Int, precision: Precision = .fast, profile: Profile? = nil) {
    team = ThreadTeam(threads: threads)
    pool = MemoryPool()
    self.precision = precision
    self.profile = profile
  }

  /// What goes through the motions of `threads` threads and computes nothing: `profile` is told what would
  /// be called, and the pool counts what would be taken without its being there.
  package init(rehearsing threads: Int, precision: Precision, profile: Profile) {
    team = ThreadTeam(rehearsing: threads)
    pool = MemoryPool(bytes: 1 << 46)
    self.precision = precision
    self.profile = profile
  }

  deinit { team.stop() }
}
