#!/usr/bin/env bash
# Times lkdist's augmentation and MONAI's with the same list, on one thread each.
#   ./scripts/bench-augmentation.sh [PATCHES]      default: 20
# MONAI and PyTorch go into a throw-away environment, .build-bench-augmentation (several GB).
set -euo pipefail
patches=${1:-20}
cd "$(dirname "$0")/.."
. scripts/requirements.sh

require_swift
install_packages $build_packages python3-venv
environment=.build-bench-augmentation
if ! [ -x "$environment/bin/python" ]; then
  python3 -m venv "$environment"
  "$environment/bin/pip" install --quiet torch numpy monai
fi
swift build "${build_options[@]}" --product lkdist
bin=$(swift build "${build_options[@]}" --show-bin-path)
"$environment/bin/python" scripts/bench-augmentation.py "$bin/lkdist" "$patches"
