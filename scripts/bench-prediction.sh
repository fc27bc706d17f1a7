#!/usr/bin/env bash
# Times `lkdist predict` and MONAI's sliding_window_inference with the same weights, windows, overlap and
# threads, and compares their probabilities.
#   ./scripts/bench-prediction.sh [SIZE [PATCH [THREADS [OVERLAP]]]]   default: 160,160,128 96,96,96 2 0.5
# MONAI and PyTorch go into a throw-away environment, .build-bench-prediction (several GB), unless PYTHON
# names an interpreter that has them.
set -euo pipefail
size=${1:-160,160,128}
patch=${2:-96,96,96}
threads=${3:-2}
overlap=${4:-0.5}
cd "$(dirname "$0")/.."
. scripts/requirements.sh

build_lkdist python3-venv
python=${PYTHON:-.build-bench-prediction/bin/python}
if ! [ -x "$python" ]; then
  python3 -m venv "${python%/bin/python}"
  "$python" -m pip install --quiet torch numpy monai nibabel
fi
"$python" -W ignore scripts/bench-prediction.py "$lkdist" "$size" "$patch" "$threads" "$overlap"
