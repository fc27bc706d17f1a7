// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]
let strictC: [CSetting] = [.treatAllWarnings(as: .error)]

let package = Package(
  name: "lkdist",
  products: [.executable(name: "lkdist", targets: ["lkdist"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // MARK: - The program, top of the arrows
    .executableTarget(
      name: "lkdist",
      dependencies: [
        "Training", "Imaging", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .target(
      name: "Training",
      dependencies: [
        "NN", "Imaging", "Collectives", "Kernels", "Tensors", "Files", "Protobuf", "CPNG", "Yams",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),

    // MARK: - Model, volumes, ranks: they do not know each other
    .target(name: "NN", dependencies: ["Tensors", "Kernels"], swiftSettings: strict),
    .target(
      name: "Imaging", dependencies: ["Tensors", "Kernels", "Files", "CNIfTI"],
      swiftSettings: strict),
    .target(name: "Collectives", dependencies: ["Tensors", "CMPI"], swiftSettings: strict),

    .target(name: "Files", dependencies: ["COpenSSL"], swiftSettings: strict),

    // MARK: - Messages of files that others read: ONNX and TensorBoard
    .target(
      name: "Protobuf",
      dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")],
      exclude: ["Protos"], swiftSettings: strict),

    // MARK: - Numerics
    .target(
      name: "Kernels", dependencies: ["Tensors", "CKernels", "COpenBLAS"], swiftSettings: strict),
    .target(name: "Tensors", swiftSettings: strict),

    // MARK: - C
    .target(name: "CMPI", dependencies: ["COpenMPI"], path: "CMPI", cSettings: strictC),
    .target(name: "CKernels", cSettings: strictC),
    .systemLibrary(name: "COpenMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev"])]),
    .systemLibrary(
      name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .target(
      name: "CNIfTI", linkerSettings: [.linkedLibrary("niftiio"), .linkedLibrary("znz")]),

    // MARK: - Tests
    .target(
      name: "TestSupport", dependencies: ["Imaging", "Tensors"], path: "Tests/TestSupport",
      swiftSettings: strict),
    .testTarget(
      name: "FilesTests", dependencies: ["TestSupport", "Files"], swiftSettings: strict),
    .testTarget(name: "TensorsTests", dependencies: ["Tensors"], swiftSettings: strict),
    .testTarget(name: "KernelsTests", dependencies: ["Kernels", "Tensors"], swiftSettings: strict),
    .testTarget(
      name: "NNTests", dependencies: ["TestSupport", "NN", "Kernels", "Tensors"],
      resources: [.copy("Fixtures")], swiftSettings: strict),
    .testTarget(
      name: "ImagingTests", dependencies: ["TestSupport", "Imaging", "Files", "Tensors"],
      resources: [.copy("Fixtures")], swiftSettings: strict),
    .testTarget(
      name: "CollectivesTests", dependencies: ["Collectives", "Tensors"], swiftSettings: strict),
    .testTarget(
      name: "TrainingTests",
      dependencies: [
        "TestSupport", "Training", "NN", "Imaging", "Collectives", "Kernels", "Tensors", "Files",
        "Protobuf",
      ],
      resources: [.copy("Fixtures")], swiftSettings: strict),
    .testTarget(
      name: "CommandTests", dependencies: ["TestSupport", "lkdist", "Imaging", "Tensors"],
      swiftSettings: strict),
    .executableTarget(
      name: "MultiRankTests",
      dependencies: ["TestSupport", "Training", "NN", "Imaging", "Collectives", "Tensors"],
      path: "Tests/MultiRank", swiftSettings: strict),
  ]
)

// libFuzzer brings a `main` of its own, so that only scripts/fuzz.sh can link this target.
if Context.environment["LKDIST_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(
      name: "Fuzz", dependencies: ["Imaging", "Training", "Tensors"], path: "Tests/Fuzz",
      exclude: ["Seeds"],
      swiftSettings: strict))
}
