#!/usr/bin/env bash
# What large batches do to Dice at equal epochs: 1 to 16 simulated ranks, each rule of the learning rate.
#   ./scripts/bench-large-batches.sh DATA FOLDER [SEEDS [EPOCHS]]      default: 1 seed, 12 epochs
# Runs are kept in FOLDER: started again, the script goes on where it was stopped.
set -euo pipefail
data=$(realpath "${1:?the folder of a data set}")
mkdir -p "${2:?a folder for the runs}"
folder=$(realpath "$2")
shift 2
cd "$(dirname "$0")/.."
. scripts/requirements.sh

build_lkdist
python3 scripts/bench-large-batches.py "$lkdist" "$data" "$folder" "$@"
