#!/usr/bin/env bash
# From a fresh clone to a trained network: builds lkdist, trains on one real brain with two MPI
# ranks, segments the hemisphere that was held out and scores it.
#   ./scripts/quickstart.sh [FOLDER]      results go to FOLDER, ./quickstart by default
set -euo pipefail
folder=$(realpath -m "${1:-quickstart}")
cd "$(dirname "$0")/.."
. scripts/requirements.sh

require_swift
install_packages $build_packages mricron-data
echo "Building lkdist (a few minutes the first time)"
swift build "${build_options[@]}" --product lkdist
lkdist=$(swift build "${build_options[@]}" --show-bin-path)/lkdist

[ -e "$folder/dataset.json" ] || "$lkdist" sample "$folder"
allow_mpi_as_root
mpirun -n 2 --oversubscribe "$lkdist" train "$folder/lkdist.yaml" --output "$folder/run"
"$lkdist" predict --checkpoint "$folder/run/checkpoints/best.safetensors" --overwrite \
  -i "$folder/imagesTr/colin_right.nii.gz" -o "$folder/prediction/colin_right.nii.gz"
"$lkdist" evaluate "$folder/prediction" "$folder/labelsTr" --labels "$folder/dataset.json" \
  -o "$folder/metrics.json" --overwrite

cat <<DONE

What you have now
  data         $folder  (dataset.json, imagesTr, labelsTr, splits_final.json, lkdist.yaml)
  run          $folder/run  (train.log, metrics.jsonl, lkdist.yaml as it was resolved)
  checkpoint   $folder/run/checkpoints/best.safetensors
  prediction   $folder/prediction/colin_right.nii.gz
  scores       $folder/metrics.json
One brain shows that the trainer works, not that a model generalizes.
DONE
