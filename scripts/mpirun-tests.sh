#!/bin/sh
# Runs the multi-rank tests with 1 to 4 ranks, then breaks a rank on purpose and looks at what the
# job makes of it. The last line is the sum, "N passed, N failed"; exits non-zero on any failure.
#
#   scripts/mpirun-tests.sh [BUILD_FOLDER]     default: .build/release
set -u
cd "$(dirname "$0")/.."
build=${1:-.build/release}
tests=$build/MultiRankTests
log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0
failed=0

if [ ! -x "$tests" ]; then
  echo "no $tests: swift build -c release --product MultiRankTests" >&2
  exit 1
fi
if [ "$(id -u)" = 0 ]; then # Open MPI refuses root without both
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi

# Runs a program that prints "N passed, N failed" last, within $2 seconds, and adds its sum; $1 says
# what it is.
sum() {
  name=$1 seconds=$2
  shift 2
  echo "== $name"
  timeout -k 5 "$seconds" "$@" >"$log" 2>&1
  code=$?
  cat "$log"
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1)
  if [ -z "$line" ]; then
    echo "no result of $name: exit code $code"
    failed=$((failed + 1))
    return
  fi
  of_this=$(echo "$line" | cut -d' ' -f3)
  passed=$((passed + $(echo "$line" | cut -d' ' -f1)))
  failed=$((failed + of_this))
  if [ "$code" != 0 ] && [ "$of_this" = 0 ]; then
    echo "tests of $name passed, but the exit code is $code"
    failed=$((failed + 1))
  fi
}

ranks() { sum "$1 ranks" 120 mpirun --oversubscribe -n "$1" "$tests"; }

# The processes of the tests that still run, by a variable that only they have.
left() {
  for process in /proc/[0-9]*; do
    [ "$(cat "$process/comm" 2>/dev/null)" = MultiRankTests ] || continue
    { tr '\0' '\n' <"$process/environ"; } 2>/dev/null | grep -qx "LKDIST_TESTS=$log" &&
      echo "$process"
  done
}
export LKDIST_TESTS="$log"

# Expects exit code $2 and the text $3 of the command that follows, within 30 seconds, and that it
# leaves no process within 2 more.
expect() {
  name=$1 code=$2 text=$3
  shift 3
  timeout -k 5 30 "$@" >"$log" 2>&1
  seen=$?
  # Open MPI 4.1's mpirun now and then falls over at its own end, after every rank has gone.
  if [ "$seen" = 139 ] && grep -q PMIx_server_finalize "$log"; then seen=$code; fi
  for _ in 1 2 3 4; do [ -z "$(left)" ] || sleep 0.5; done
  if [ "$seen" = "$code" ] && grep -qF "$text" "$log" && [ -z "$(left)" ]; then
    echo "ok      $name"
    passed=$((passed + 1))
  else
    echo "FAILED  $name: exit code $seen, not $code, or no '$text', or processes '$(left)' left:"
    cat "$log"
    failed=$((failed + 1))
  fi
}

for n in 1 2 3 4; do ranks "$n"; done

host=$(hostname)
damaged="the image is damaged"
echo "== ranks that fail"
expect "a program without mpirun ends with its own code" 65 "lkdist: $damaged" "$tests" fail
expect "one rank under mpirun ends with its own code" 65 "lkdist: $damaged" \
  mpirun -n 1 "$tests" fail
for n in 2 4; do
  expect "one of $n ranks ends the job with its code and message" 65 \
    "lkdist: rank $((n - 1)) of $n on $host: $damaged" mpirun --oversubscribe -n "$n" "$tests" fail
done
expect "an MPI error of one rank ends the job" 71 "MPI_ERR_ROOT" \
  mpirun --oversubscribe -n 3 "$tests" throw
expect "an error that unwinds past the session ends the job" 70 "left without a word" \
  mpirun --oversubscribe -n 3 "$tests" leave

for n in 2 4; do # 132 is mpirun's for a trap
  expect "one of $n ranks that crashes in forward ends the job and is named" 132 \
    "process rank $((n - 1)) with PID" mpirun --oversubscribe -n "$n" "$tests" train-crash
done
expect "a crash says where" 132 "a mistake in step 2, forward (case_" \
  mpirun --oversubscribe -n 2 "$tests" train-crash

echo "== ranks that hang"
watch() { expect "$1" "$2" "$3" mpirun --oversubscribe -n "$4" "$tests" "$5"; }
for n in 2 4; do
  last="rank $((n - 1)) on $host"
  watch "one of $n ranks that hangs is named with its phase" 71 \
    "$last, in step 17, forward (case_1, decoder.1), has made no progress for" "$n" watch-hang
  watch "one of $n ranks that is stopped is named with its last phase" 71 \
    "$last, last in step 17, load, has been silent for" "$n" watch-stop
  watch "a root that is stopped is named by one of $n ranks" 71 \
    "the root, rank 0 on $host, last in step 17, load, has been silent for" "$n" watch-stop-root
done
watch "a rank that is stopped before its first beat is named" 71 \
  "rank 2 on $host began the run but has sent no sign of life in" 3 watch-stop-early
watch "who finds the root silent says where it is itself" 71 \
  "this rank is in step 17, barrier" 3 watch-stop-root
watch "of ranks that wait for each other the one behind is named" 71 \
  "furthest behind is rank 2 on $host, in step 17, allreduce, for" 3 watch-deadlock
watch "the log is told who is late" 71 "reported: rank 1 on $host, in step 17, forward" 2 watch-hang
watch "a log that hangs does not keep a job from ending" 71 \
  "lkdist: rank 0 of 2 on $host: rank 1 on $host, in step 17, forward" 2 watch-hanging-log
watch "a rank alone that hangs ends, too" 71 \
  "the root, rank 0 on $host, in step 17, forward" 1 watch-hang
watch "long validation on the root is no hang" 0 "nobody was late" 3 watch-validation
watch "a job that was suspended goes on" 0 "nobody was late" 2 watch-suspend

expect "tasks of srun that cannot find each other are refused" 64 "4 tasks without PMIx" \
  env SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=4 "$tests" threads
expect "tasks that MPI leaves alone in spite of PMIx are refused" 64 "4 tasks without PMIx" \
  env SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=4 PMIX_NAMESPACE=x "$tests" threads

echo "== memory"
if ldconfig -p | grep -q libc_malloc_debug.so.0; then
  trace=$(mktemp)
  expect "a step takes no block above 4 KiB from the C library" 0 "none above 4 KiB" \
    env LD_PRELOAD=libc_malloc_debug.so.0 MALLOC_TRACE="$trace" "$tests" allocations
  rm -f "$trace"
fi
sum "ranks that are killed" 300 scripts/kill-tests.sh 20 "$build"

echo "== threads"
unset LKDIST_THREADS SLURM_CPUS_PER_TASK OMPI_MCA_hwloc_base_binding_policy
cores=$(nproc)
expect "LKDIST_THREADS counts" 0 "rank 0: 7 threads" env LKDIST_THREADS=7 "$tests" threads
expect "LKDIST_THREADS that is no number is refused" 64 "LKDIST_THREADS is 'many'" \
  env LKDIST_THREADS=many "$tests" threads
expect "a binding that was asked for is kept" 0 "rank 0: 1 threads" \
  mpirun --bind-to hwthread --use-hwthread-cpus -n 1 "$tests" threads
if [ "$cores" -ge 2 ]; then
  expect "a default binding to one core is widened, and that is said" 0 \
    "mpirun bound this rank to processor" mpirun -n 1 "$tests" threads
  expect "a rank stays on the processors that mpirun was given" 0 "1 threads on processors 1" \
    taskset -c 1 mpirun --oversubscribe -n 1 "$tests" threads
fi

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
