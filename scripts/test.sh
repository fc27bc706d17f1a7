#!/usr/bin/env bash
# Installs what is missing and runs every test; the last line is `N passed, N failed`.
set -uo pipefail
cd "$(dirname "$0")/.."
. scripts/requirements.sh

require_swift
install_packages $build_packages mricron-data
allow_mpi_as_root
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
passed=0
failed=0

# check NAME COMMAND...: counts one test; its output is shown when it fails.
check() {
  local name=$1
  shift
  if "$@" > "$logs/check" 2>&1; then
    passed=$((passed + 1))
    echo "passed: $name"
  else
    failed=$((failed + 1))
    cat "$logs/check"
    echo "FAILED: $name"
  fi
}

# count_of TEXT FILE: how many lines of FILE match TEXT.
count_of() { grep -cE "$1" "$2" || true; }

check "format lint" swift format lint --strict -r Sources Tests Package.swift
echo "Building (warnings are errors)"
if ! swift build "${build_options[@]}" --build-tests > "$logs/build" 2>&1; then
  grep -E "error|warning" "$logs/build" || tail -n 50 "$logs/build"
  echo "FAILED: build"
  echo "$passed passed, $((failed + 1)) failed"
  exit 1
fi
passed=$((passed + 1))
bin=$(swift build "${build_options[@]}" --show-bin-path)

# unit_tests OPTION...: counts the tests of the package that the options choose.
unit_tests() {
  "$bin/lkdistPackageTests.xctest" --testing-library swift-testing "$@" > "$logs/unit" 2>&1
  local status=$?
  passed=$((passed + $(count_of '^✔ Test [^rc]|^✔ Test "' "$logs/unit")))
  local failures
  failures=$(count_of '^✘ Test "' "$logs/unit")
  if [ $status -ne 0 ]; then
    grep -E '^✘|Fatal error|Crash' "$logs/unit" || tail -n 50 "$logs/unit"
    if [ "$failures" -eq 0 ]; then failures=1; fi
  fi
  failed=$((failed + failures))
}

echo "Unit and command tests"
unit_tests
echo "Kernels of the other instruction sets"
LKDIST_ISA=baseline unit_tests --filter KernelsTests
if grep -q avx512f /proc/cpuinfo; then
  LKDIST_ISA=avx2 OPENBLAS_CORETYPE=Haswell unit_tests --filter KernelsTests
fi

echo "Tests of several ranks under mpirun"
scripts/mpirun-tests.sh "$bin" | tee "$logs/ranks"
ranks=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$logs/ranks" | tail -n 1)
if [ -n "$ranks" ]; then
  passed=$((passed + ${ranks%% *}))
  rank_failures=${ranks#*, }
  failed=$((failed + ${rank_failures%% *}))
else
  failed=$((failed + 1))
fi

scripts/code-size.sh
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
