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
. scripts/pytorch.sh

build_for_bench
"$python" scripts/bench-pytorch.py "$bin/lkdist" "$patch" "$threads" "$steps" "$attention"
