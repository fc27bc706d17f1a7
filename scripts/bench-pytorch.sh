#!/usr/bin/env bash
# Times training steps of lkdist and of its PyTorch twin in one run, on the same threads.
#   ./scripts/bench-pytorch.sh [PATCH [THREADS [STEPS [ATTENTION]]]]      default: 64,64,64 2 5 mid
# PEERS='PyTorch fp32;PyTorch fp32, channels last' in the environment leaves the others out.
# PyTorch goes into a throw-away environment, .build-bench-pytorch (several GB).
set -euo pipefail
patch=${1:-64,64,64}
threads=${2:-2}
steps=${3:-5}
attention=${4:-mid}
cd "$(dirname "$0")/.."
. scripts/requirements.sh

require_swift
install_packages $build_packages python3-venv
environment=.build-bench-pytorch
if ! [ -x "$environment/bin/python" ]; then
  python3 -m venv "$environment"
  "$environment/bin/pip" install --quiet torch numpy
fi
swift build "${build_options[@]}" --product lkdist
bin=$(swift build "${build_options[@]}" --show-bin-path)
allow_mpi_as_root
"$environment/bin/python" scripts/bench-pytorch.py "$bin/lkdist" "$patch" "$threads" "$steps" "$attention"
