import Foundation

/// What the launcher did to this rank's processor mask, and undoing it where nobody asked for it.
///
/// Measured with Open MPI 4.1.4: mpirun binds one or two ranks to one core each, three or more to a
/// socket. It tells ranks so by OMPI_MCA_orte_bound_at_launch, and passes an explicit `--bind-to`
/// on as OMPI_MCA_hwloc_base_binding_policy.
package enum LaunchBinding {
  /// Settings by which a user chooses cores; any of them makes the mask a wish to keep.
  private static let wishes = [
    "OMPI_MCA_hwloc_base_binding_policy", "OMPI_MCA_hwloc_base_cpu_list",
    "OMPI_MCA_hwloc_base_cpu_set", "OMPI_MCA_orte_rankfile", "OMPI_MCA_rmaps_rank_file_path",
    "OMPI_MCA_rmaps_base_cpus_per_proc",
  ]

  /// Whether mpirun bound this rank without having been asked.
  package static func isDefault(environment: [String: String]) -> Bool {
    guard environment["OMPI_MCA_orte_bound_at_launch"] == "1" else { return false }
    let mapping = environment["OMPI_MCA_rmaps_base_mapping_policy"]?.lowercased() ?? ""
    return wishes.allSatisfy { environment[$0] == nil } && !mapping.contains("pe=")
  }

  /// Gives a rank that mpirun bound unasked the processors that mpirun itself may use, within the
  /// control group; returns a sentence that says so, nil where nothing changed.
  static func widen(environment: [String: String]) -> String? {
    guard isDefault(environment: environment), let before = ProcessorSet.allowed() else {
      return nil
    }
    // The kernel cuts "all" down to the control group's processors.
    let wide = launcherMask() ?? ProcessorSet(0..<8192)
    guard wide != before, wide.applyToThisProcess(),
      let after = ProcessorSet.allowed(), after != before
    else { return nil }
    return sentence(before: before, after: after)
  }

  /// What a user is told about a mask that was widened from `before` to `after`.
  package static func sentence(before: ProcessorSet, after: ProcessorSet) -> String {
    let cores = before.count == 1 ? "processor \(before)" : "processors \(before)"
    return "mpirun bound this rank to \(cores) by default; it now uses processors \(after) "
      + "(keep a binding by asking for it: mpirun --bind-to core)"
  }

  /// The mask of the nearest ancestor that is a launcher: `taskset mpirun` is a wish, too.
  private static func launcherMask() -> ProcessorSet? {
    var process = "\(getppid())"
    for _ in 0..<8 {
      let fields = statusFields(textOfFile("/proc/\(process)/status") ?? "")
      if launchers.contains(fields["Name"] ?? "") { return ProcessorSet.allowed(for: process) }
      guard let parent = fields["PPid"] else { break }
      process = parent
    }
    return nil
  }

  private static let launchers: Set = ["mpirun", "mpiexec", "orterun", "orted", "prterun", "prted"]
}
