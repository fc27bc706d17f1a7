#!/usr/bin/env bash
# The article's ablation at any size: trains its grid of attention modules and prints its Tables 5, 6
# and 11 with p-values. What is finished is not trained again.
#   ./scripts/ablation.sh DATA [--epochs 8] [--channels 16] [--patch 32,48,32] [...]     --help tells all
set -euo pipefail
if [ $# -eq 0 ]; then set -- --help; fi
from=$PWD
cd "$(dirname "$0")/.."
. scripts/requirements.sh

build_lkdist
script=$PWD/scripts/ablation.py
cd "$from"
exec python3 "$script" "$lkdist" "$@"
