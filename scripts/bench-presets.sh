#!/usr/bin/env bash
# What augmentation does to Dice: every preset with several seeds, at equal steps and at equal time.
#   ./scripts/bench-presets.sh DATA [SEEDS [EPOCHS]]      default: 3 seeds, 24 epochs
set -euo pipefail
data=$(realpath "${1:?the folder of a data set}")
shift
cd "$(dirname "$0")/.."
. scripts/requirements.sh

build_lkdist
python3 scripts/bench-presets.py "$lkdist" "$data" "$@"
