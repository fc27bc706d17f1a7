#!/usr/bin/env bash
# What `lkdist plan` forecasts beside what `lkdist train` takes: step time and memory of unlike configurations.
#   ./scripts/check-plan.sh DATA [STEPS]      default: 6 steps of each
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
python3 scripts/check-plan.py "$bin/lkdist" "$data" "$@"
