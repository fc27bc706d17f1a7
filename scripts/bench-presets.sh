#!/usr/bin/env bash
# What augmentation does to Dice: every preset with several seeds, at equal steps and at equal time.
#   ./scripts/bench-presets.sh DATA [SEEDS [EPOCHS]]      default: 3 seeds, 24 epochs
set -euo pipefail
data=$(realpath "${1:?the folder of a data set}")
shift
cd "$(dirname "$0")/.."
. scripts/requirements.sh

require_swift
install_packages $build_packages
swift build "${build_options[@]}" --product lkdist
bin=$(swift build "${build_options[@]}" --show-bin-path)
allow_mpi_as_root
python3 scripts/bench-presets.py "$bin/lkdist" "$data" "$@"
