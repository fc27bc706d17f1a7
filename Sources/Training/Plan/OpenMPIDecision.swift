/// What MPI_Allreduce of Open MPI 4.1 does with sums of floats where nobody told it.
extension AllreduceAlgorithm {
  /// The algorithm for so many bytes and ranks, from the table in
  /// `ompi_coll_tuned_allreduce_intra_dec_fixed` for operations that commute
  /// (ompi/mca/coll/tuned/coll_tuned_decision_fixed.c of the 4.1 series); its segmented ring
  /// takes as long as the ring here.
  package static func ofOpenMPI(bytes: Int, ranks: Int) -> AllreduceAlgorithm {
    let row = decisions.last { $0.ranks <= ranks } ?? decisions[0]
    return row.choices.last { $0.bytes <= bytes }?.algorithm ?? .ring
  }

  private typealias Row = (ranks: Int, choices: [(bytes: Int, algorithm: AllreduceAlgorithm)])

  /// From so many ranks on: from so many bytes on.
  private static let decisions: [Row] = [
    (
      0,
      [
        (0, .ring), (8, .tree), (4096, .ring), (8192, .tree), (16_384, .ring),
        (262_144, .rabenseifner),
      ]
    ),
    (4, [(0, .ring), (16, .tree), (8192, .rabenseifner)]),
    (8, [(0, .tree), (8192, .rabenseifner)]),
    (16, [(0, .ring), (64, .tree), (4096, .rabenseifner)]),
    (32, [(0, .ring), (128, .rabenseifner)]),
    (64, [(0, .tree), (262_144, .rabenseifner)]),
    (128, [(0, .reduceBroadcast), (131_072, .tree), (262_144, .rabenseifner)]),
    (256, [(0, .reduceBroadcast), (4096, .rabenseifner)]),
    (512, [(0, .reduceBroadcast), (2048, .tree), (16_384, .rabenseifner)]),
    (
      2048, [(0, .reduceBroadcast), (2048, .ring), (4096, .tree), (16_384, .rabenseifner)]
    ),
    (4096, [(0, .reduceBroadcast), (2048, .ring), (16_384, .tree), (32_768, .ring)]),
  ]
}
