#!/usr/bin/env bash
# Feeds the readers of NIfTI files, of data sets' JSON and of checkpoints with inputs that libFuzzer
# makes up, guided by coverage; a crash is kept as a file in .build-fuzz/crashers and ends the script with an error.
#
#   scripts/fuzz.sh [SECONDS]     for all readers together; 60 by default
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/requirements.sh

seconds=${1:-60}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || { echo "usage: scripts/fuzz.sh [SECONDS]" >&2; exit 64; }
require_swift
install_packages $build_packages
build=.build-fuzz
# The variable makes Package.swift name the target, which nothing else needs.
LKDIST_FUZZ=build swift build -c release --sanitize fuzzer --product Fuzz --scratch-path "$build" \
  | tail -n 1
fuzzer=$build/release/Fuzz
mkdir -p "$build"/corpus/{nifti,json,safetensors} "$build/crashers"
cp Tests/ImagingTests/Fixtures/imaging/{plain,slope_nan,none}.nii \
  Tests/ImagingTests/Fixtures/imaging/types/*.nii "$build/corpus/nifti"
cp Tests/Fuzz/Seeds/*.json "$build/corpus/json"
cp Tests/Fuzz/Seeds/*.safetensors "$build/corpus/safetensors"

# fuzz KIND OPTION...: the summary of a run; libFuzzer's own text where it found something.
fuzz() {
  local kind=$1 log=$build/$1.log
  shift
  # Swift's own reports of a crash would be asked of a debugger, which libFuzzer's run waits for.
  if ! LKDIST_FUZZ=$kind SWIFT_BACKTRACE=enable=no "$fuzzer" "$build/corpus/$kind" \
    -max_total_time=$(((seconds + 2) / 3)) -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$build/crashers/$kind-" "$@" > "$log" 2>&1; then
    grep -vE '^#[0-9]+' "$log" | tail -n 30
    echo "FAILED: $kind; keep the file of $build/crashers as a test once it is fixed"
    return 1
  fi
  echo "$kind: $(grep -oE 'number_of_executed_units: +[0-9]+' "$log" | grep -oE '[0-9]+$')" \
    "inputs without a crash, $(grep -oE 'cov: [0-9]+ ft: [0-9]+ corp: [0-9]+' "$log" | tail -n 1)"
}

failed=0
fuzz nifti -max_len=1024 || failed=1
fuzz json -max_len=2048 || failed=1
fuzz safetensors -max_len=4096 || failed=1
exit $failed
