#!/usr/bin/env bash
# Makes the README's pictures anew, in Sources/Training/Training.docc/Resources: a report's outlines
# and an attention map of the sample data set, Colin27 of Debian's mricron-data.
#   ./scripts/make-pictures.sh [LKDIST]      the program; .build/release/lkdist by default
set -euo pipefail
lkdist=$(realpath "${1:-$(dirname "$0")/../.build/release/lkdist}")
resources=$(realpath "$(dirname "$0")/../Sources/Training/Training.docc/Resources")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$lkdist" sample "$folder/data"
"$lkdist" train "$folder/data/lkdist.yaml" --output "$folder/run" --quiet
"$lkdist" report "$folder/run"
# The first picture of the page, as its base64 text.
grep -o 'data:image/png;base64,[^"]*' "$folder/run/report.html" | sed -n '1s/.*,//p' \
  | base64 -d > "$resources/outlines.png"
"$lkdist" predict --checkpoint "$folder/run/checkpoints/best.safetensors" --save-attention \
  -i "$folder/data/imagesTr/colin_right.nii.gz" -o "$folder/out"
cp "$folder"/out/attention/colin_right_scale*.png "$resources/attention.png"
ls -l "$resources"
