#!/usr/bin/env bash
# Builds lkdist with the Swift runtime linked in (cluster nodes have no Swift) and installs it.
#   ./scripts/install.sh [PREFIX]         PREFIX/bin/lkdist; PREFIX is /usr/local for root,
#                                         ~/.local otherwise
set -euo pipefail
default=$HOME/.local
if [ "$(id -u)" -eq 0 ]; then default=/usr/local; fi
prefix=$(realpath -m "${1:-$default}")
cd "$(dirname "$0")/.."
. scripts/requirements.sh

require_swift
install_packages $build_packages
options=("${build_options[@]}" --static-swift-stdlib --scratch-path .build-static)
swift build "${options[@]}" --product lkdist
mkdir -p "$prefix/bin"
install -m 755 "$(swift build "${options[@]}" --show-bin-path)/lkdist" "$prefix/bin/lkdist"
install -m 755 cluster/lkdist-job "$prefix/bin/lkdist-job" # what the job scripts start
echo "Installed $prefix/bin/lkdist"
case ":$PATH:" in
  *":$prefix/bin:"*) ;;
  *) echo "Add it to your PATH:  export PATH=\"$prefix/bin:\$PATH\"" ;;
esac
