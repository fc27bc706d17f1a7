#!/usr/bin/env bash
# Times lkdist's augmentation and MONAI's with the same list, on one thread each.
#   ./scripts/bench-augmentation.sh [PATCHES]      default: 20
# MONAI and PyTorch go into a throw-away environment, .build-bench-augmentation (several GB).
set -euo pipefail
patches=${1:-20}
cd "$(dirname "$0")/.."
. scripts/requirements.sh

build_lkdist python3-venv
environment=.build-bench-augmentation
if ! [ -x "$environment/bin/python" ]; then
  python3 -m venv "$environment"
  "$environment/bin/pip" install --quiet torch numpy monai
fi
"$environment/bin/python" scripts/bench-augmentation.py "$lkdist" "$patches"
