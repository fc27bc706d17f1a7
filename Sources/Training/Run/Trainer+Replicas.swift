import Collectives
import NN
import Tensors

extension Trainer {
  /// Compares the weights of all ranks, bit for bit, and repairs them where that is configured.
  /// Collective.
  ///
  /// - Returns: on every rank the error that names the odd ones if the run must stop; the root's
  ///   names their hosts too.
  package func checkReplicas() throws(CommunicationError) -> TrainingError? {
    activity.begin(.allreduce, "comparing weights")
    let parameters = model.parameters.parameters
    let tensors = parameters.map { model.parameters.values(of: $0) }
    guard let mismatch = try world.findMismatch(of: tensors) else { return nil }
    let message = try describe(mismatch, in: parameters)
    switch setup.configuration.distributed.onReplicaMismatch {
    case .stop:
      return .internal(
        message + "; the last checkpoint stands: look at the memory and network of that host, then "
          + "run again (or set distributed.onReplicaMismatch: repair)")
    case .repair:
      try repair(from: mismatch.reference)
      log.logger.warning("\(message); repaired with the weights of rank \(mismatch.reference)")
      return nil
    }
  }

  /// Sends one rank's weights and moments to all; sharded moments have no copy that could differ.
  private func repair(from rank: Int) throws(CommunicationError) {
    let moments = shards == nil ? [optimizer.first, optimizer.second] : []
    for block in [model.parameters.values] + moments {
      try world.broadcast(block.slice, root: rank)
    }
  }

  private func describe(
    _ mismatch: ReplicaMismatch, in parameters: [Parameter]
  ) throws(CommunicationError) -> String {
    let hosts = try world.gather(world.hostName) ?? []
    // Of many odd ranks the first few tell enough.
    let odd = mismatch.oddRanks.prefix(4).map { odd in
      "rank \(odd.rank)" + (hosts.isEmpty ? "" : " on \(hosts[odd.rank])")
        + " (first in \(parameters[odd.tensor].name))"
    }
    let more = mismatch.oddRanks.count - odd.count
    return "step \(state.step): the weights of \(odd.joined(separator: ", "))"
      + (more > 0 ? " and \(more) more" : "") + " differ from those of rank \(mismatch.reference)"
      + (mismatch.isMajority ? "" : " (no majority tells which are right)")
  }
}
