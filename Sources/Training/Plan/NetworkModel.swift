/// What messages and sums cost, after LogGP (Alexandrov, Ionescu, Schauser, Scheiman 1995): each thing
/// on the critical path of an allreduce takes a constant time, and the times are added.
package struct NetworkModel: Equatable, Sendable {
  /// The way between two ranks.
  package struct Link: Equatable, Sendable {
    /// Seconds from the start of an empty message to its arrival (LogGP's L + 2o).
    package var latency: Double
    /// Seconds by which a rank that sends or receives many messages at once is held up by each one
    /// after the first (o).
    package var overhead: Double
    /// Seconds a byte (G); the ranks of a host share that of their network card.
    package var gap: Double

    package init(latency: Double, overhead: Double, gap: Double) {
      (self.latency, self.overhead, self.gap) = (latency, overhead, gap)
    }
  }

  /// Between ranks of one host, through shared memory.
  package var inside: Link
  /// Between hosts.
  package var between: Link
  /// Seconds in which one byte of floats is added to another.
  package var addition: Double
  /// Seconds in which one byte of floats is rounded to bfloat16 or widened again.
  package var conversion: Double
  /// Seconds that the communication thread, which sleeps between looks, notices late that its
  /// messages have arrived.
  package var nap: Double
  /// Seconds of a core that a byte of gradients takes while it is summed, which computing loses.
  package var processor = 0.0

  package init(
    inside: Link, between: Link, addition: Double, conversion: Double, nap: Double
  ) {
    (self.inside, self.between) = (inside, between)
    (self.addition, self.conversion, self.nap) = (addition, conversion, nap)
  }

  /// Costs of hosts joined by a network of `speed`, taken as what messages really reach; what it does
  /// not say explains what a 2-core AMD EPYC took with Open MPI 4.1: 64 MiB in buckets of 4 MiB over two
  /// ranks of a host in 32 ms, as bf16 in 58 ms.
  package init(_ speed: NetworkSpeed, overhead: Double = Self.usualOverhead) {
    self.init(
      inside: Link(latency: 1e-6, overhead: 0.5e-6, gap: 0.35e-9),
      between: Link(
        latency: speed.latency ?? Self.usualLatency, overhead: overhead,
        gap: 8 / speed.bitsPerSecond),
      addition: 0.15e-9, conversion: 0.25e-9, nap: 200e-6)
  }

  /// Seconds that a small message takes over Ethernet and TCP, where nothing else is said.
  package static let usualLatency = 20e-6
  /// Seconds that each of many messages takes of its rank, where nothing else is said.
  package static let usualOverhead = 1e-6
}
