#!/usr/bin/env bash
# What `lkdist plan` forecasts beside what `lkdist train` takes: step time and memory of unlike configurations.
#   ./scripts/check-plan.sh DATA [STEPS]      default: 8 steps of each, twice
set -euo pipefail
data=$(realpath "${1:?the folder of a data set}")
shift
cd "$(dirname "$0")/.."
. scripts/requirements.sh

build_lkdist
python3 scripts/check-plan.py "$lkdist" "$data" "$@"
