/// What a kernel computes with: the rank's threads and its memory pool.
package final class Compute: Sendable {
  package let team: ThreadTeam
  package let pool: MemoryPool

  /// A team of `threads` threads with an empty pool.
  package init(threads: Int) {
    team = ThreadTeam(threads: threads)
    pool = MemoryPool()
  }

  deinit { team.stop() }
}
