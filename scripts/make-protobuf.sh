#!/usr/bin/env bash
# Makes Sources/Protobuf/Generated from Sources/Protobuf/Protos: to be run again, and its result
# committed, when a .proto file changes or SwiftProtobuf wants newer code.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/requirements.sh

require_swift
install_packages protobuf-compiler
swift package resolve
# The plugin of the very version that the package links.
checkout=.build/checkouts/swift-protobuf
plugin_options=(-c release --package-path "$checkout" --scratch-path .build-protobuf)
swift build "${plugin_options[@]}" --product protoc-gen-swift
plugin=$(swift build "${plugin_options[@]}" --show-bin-path)/protoc-gen-swift
rm -f Sources/Protobuf/Generated/*.pb.swift
protoc --plugin=protoc-gen-swift="$plugin" --proto_path=Sources/Protobuf/Protos \
  --swift_opt=Visibility=Package --swift_out=Sources/Protobuf/Generated \
  onnx.proto tensorboard.proto
