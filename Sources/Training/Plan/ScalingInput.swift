import Files

/// What `lkdist simulate` reads: which steps on which ranks and networks.
package struct ScalingInput: Equatable, Sendable {
  /// A network between hosts.
  package struct Network: Equatable, Sendable {
    package var name = ""
    /// What messages reach; nil to tell it by measurements alone.
    package var speed: NetworkSpeed?
    /// Seconds each of many messages takes of its rank.
    package var overhead = NetworkModel.usualOverhead
    /// A file of lines of `lkdist bench allreduce`, which tell more than the speed; nil for none.
    package var measured: String?
    /// Ranks of a host when those were measured.
    package var measuredRanksPerNode = 1
  }

  package var seed = 1
  /// Simulated for each point.
  package var steps = 20
  package var ranks = (3...12).map { 1 << $0 }
  package var ranksPerNode = 1
  /// Cores of a rank, of which sums take their share.
  package var cores = 1.0
  package var bucketMiB = 4.0
  package var algorithms = [AllreduceAlgorithm.shards]
  package var compressions = [Configuration.Compression.none]
  package var slow = StepSimulation.SlowRanks()
  /// In place of the jitter of each patch; nil to take that.
  package var jitter: Double?
  /// How many times as fast as measured a rank computes.
  package var computeSpeed = 1.0
  package var networks: [Network] = []
  package var patches: [StepProfile] = []

  package init() {}
}

// MARK: - Keys

extension ScalingInput {
  /// Reads an input file, with `overrides` of the form `key=value` put in its place.
  ///
  /// - Throws: `missing` for no such file, `inputOutput` for one that cannot be read,
  ///   `configuration` naming the key, its line or `--set` argument, and the nearest valid one.
  package static func load(
    _ path: String, overrides: [String] = []
  ) throws(TrainingError) -> ScalingInput {
    let text = try YAMLSource.text(
      of: path, called: "input",
      otherwise: "take Sources/Training/Training.docc/Resources/scaling.yaml as a pattern")
    return try parse(text, file: path, folder: Paths.folder(of: path), overrides: overrides)
  }

  /// Reads an input from text; `file` names it in errors, paths in it start from `folder`.
  package static func parse(
    _ yaml: String, file: String = "scaling.yaml", folder: String = ".", overrides: [String] = []
  ) throws(TrainingError) -> ScalingInput {
    let source = YAMLSource(file: file, folder: folder)
    let root = try source.root(yaml, overrides: overrides)
    return try Codec.record(ScalingInput(), required: ["networks", "patches"], schema).read(root)
  }

  private static var schema: Schema<ScalingInput> {
    Schema(fields: [
      Field("seed", \.seed, .integer(atLeast: 0), "of the random step times"),
      Field("steps", \.steps, .integer(atLeast: 1), "simulated for each point"),
      Field("ranks", \.ranks, .several(.integer(atLeast: 1), "ranks"), "numbers of ranks"),
      Field(
        "ranksPerNode", \.ranksPerNode, .integer(atLeast: 1), "which share a network card"),
      Field("cores", \.cores, .positive, "of a rank, of which sums take their share"),
      Field("bucketMiB", \.bucketMiB, bucket, "gradients are sent in pieces of this size"),
      Field(
        "algorithms", \.algorithms, .several(.choice(), "algorithms"),
        "shards (lkdist's) | openmpi | ring | tree | rabenseifner | hierarchical | reduce-broadcast"
      ),
      Field("compressions", \.compressions, .several(.choice(), "compressions"), "none | bf16"),
      Field("slow", \.slow, slowSchema, "ranks slower than the others"),
      Field(
        "jitter", \.jitter, Codec.notNegative.optional,
        "relative deviation of a step's seconds; null for that of each patch"),
      Field("computeSpeed", \.computeSpeed, .positive, "times as fast as measured"),
      Field(
        "networks", \.networks,
        .several(network, "networks"), "between hosts"),
      Field(
        "patches", \.patches, .several(.stepProfile, "patches"),
        "lines of lkdist bench step --simulation"),
    ])
  }

  private static var bucket: Codec<Double> {
    .number("a number above 0 and at most 1024") { $0 > 0 && $0 <= 1024 }
  }

  private static var slowSchema: Schema<StepSimulation.SlowRanks> {
    Schema(fields: [
      Field("share", \.share, .fraction, "of the ranks"),
      Field(
        "factor", \.factor, .number("a number of at least 1") { $0 >= 1 },
        "times as long a step takes there"),
    ])
  }

  private static var network: Codec<Network> {
    Codec.record(Network(), required: ["name"], networkSchema)
      .checked("a network with a speed or a file measured") {
        $0.speed != nil || $0.measured != nil
      }
  }

  private static var networkSchema: Schema<Network> {
    Schema(fields: [
      Field("name", \.name, .text("a name"), "in the table and chart"),
      Field("speed", \.speed, Codec.networkSpeed.optional, "such as 25Gbps,20us"),
      Field("overhead", \.overhead, .notNegative, "seconds a message takes of its rank"),
      Field(
        "measured", \.measured, Codec.path("a file").optional,
        "lines of lkdist bench allreduce, to which latency and speed are fitted"),
      Field(
        "measuredRanksPerNode", \.measuredRanksPerNode, .integer(atLeast: 1), "of those lines"),
    ])
  }
}

extension Codec {
  /// A list of at least one value.
  fileprivate static func several<Element>(
    _ element: Codec<Element>, _ what: String
  ) -> Codec<[Element]> where Value == [Element] {
    let expected = "a list of \(what)"
    return element.list(expected).checked(expected) { !$0.isEmpty }
  }
}

extension Codec where Value == NetworkSpeed {
  fileprivate static var networkSpeed: Codec {
    let expected = "a speed and perhaps a latency, such as 25Gbps,20us"
    return Codec(
      read: { yaml throws(TrainingError) in
        guard let speed = yaml.text.flatMap({ NetworkSpeed($0) }) else {
          throw yaml.expected(expected)
        }
        return speed
      }, write: { .string("\($0.bitsPerSecond / 1e9)Gbps") })
  }
}
