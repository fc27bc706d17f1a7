#!/usr/bin/env bash
# Trains with the scripts of cluster/ on a real Slurm, over hosts made of network namespaces, and
# breaks things: nothing may be lost. Needs root; says so and skips without.
#   scripts/test-cluster.sh            3 minutes
#   scripts/test-cluster.sh --long     30 minutes: also what Slurm takes minutes to notice
#   scripts/test-cluster.sh TEST...    some, by name; runs are compared with that of trains_by_srun
set -uo pipefail
cd "$(dirname "$0")/.."
. scripts/requirements.sh
. scripts/cluster-hosts/hosts.sh
. scripts/cluster-hosts/slurm.sh
. scripts/cluster-hosts/jobs.sh
. scripts/cluster-hosts/long-tests.sh
. scripts/counted-tests.sh
skipped=0

# ends: prints the result and leaves.
ends() {
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ]
  exit
}

explain() { on node1 squeue -o "%i %j %T %r %N"; }

if [ "$(id -u)" -ne 0 ] || ! unshare --net --uts --mount true 2> /dev/null; then
  skipped=1
  echo "skipped: hosts and a Slurm of our own need root and the right to make namespaces"
  ends
fi
exec 9> /tmp/lkdist-test-cluster.lock # the hosts' names are the machine's
if ! flock -w 600 9; then
  echo "FAILED: another scripts/test-cluster.sh holds the hosts' names"
  failed=1
  ends
fi

# --- Tests: each leaves its run in $work/NAME

trains_by_srun() {
  submit whole train.sbatch
  wait_for 60 'at_step whole 1'
  ok "every rank knows the time limit of the job" \
    '(( $(setting LKDIST_TIME_LIMIT node1) > 400 && $(setting LKDIST_TIME_LIMIT node2) < 451 ))'
  ok "train.sbatch trains on two nodes and completes" 'completed'
  ok "every rank took part" 'grep -q "2 ranks" "$log" && hosts_of whole | grep -q "node1 node2"'
}

# stops_and_goes_on SCRIPT: the time limit is near, the job is queued again and finishes.
stops_and_goes_on() {
  local run=limit-${1%.sbatch}
  submit "$run" "$1"
  wait_for 60 'at_step '"$run"' 8'
  on node1 scancel --batch --signal=USR1 "$job" # as --signal=B:USR1@180 does
  ok "$1: a signal before the time limit ends the run and queues it again" 'requeued 1'
  ok "$1: every rank left with a checkpoint" 'grep -q "stopped with a checkpoint" "$log"'
  start_now
  ok "$1: the job finishes after its restart" 'completed'
  ok "$1: weights equal those of the undisturbed run" 'same_result "$run"'
}

loses_a_node() {
  submit crash train.sbatch
  wait_for 60 'at_step crash $((steps / 2 + 5))'
  crash node2
  on node1 scontrol update nodename=node2 state=down reason=crash # Slurm alone takes 30 s
  ok "a crashed node queues the job again" 'requeued 1'
  start_now
  ok "the job finishes on other nodes" 'completed && hosts_of crash | grep -q "node1 node3"'
  ok "weights equal those of the undisturbed run" 'same_result crash'
  boot node2
}

# The node is back before the job is, with what the crash left on it.
meets_a_node_again() {
  submit again train.sbatch
  wait_for 60 'at_step again $((steps / 2 + 5))'
  crash node2
  on node1 scontrol update nodename=node2 state=down reason=crash
  on node1 scontrol update nodename=node3 state=drain reason="so that the job returns to node2"
  ok "a crashed node queues the job again" 'requeued 1'
  boot node2
  start_now
  ok "the job finishes on the node that crashed" 'completed && hosts_of again | grep -q node2'
  ok "weights equal those of the undisturbed run" 'same_result again'
  on node1 scontrol update nodename=node3 state=resume
}

loses_a_rank() {
  submit killed mpirun.sbatch
  wait_for 60 'at_step killed $((steps / 2 + 5))'
  kill -9 "$(rank_on node2)"
  ok "a killed rank queues the job again" 'requeued 1 && grep -q "a rank was lost" "$log"'
  start_now
  ok "the job finishes" 'completed'
  ok "weights equal those of the undisturbed run" 'same_result killed'
}

# loses_the_cable SCRIPT SECONDS: the ranks' watch ends the job, 5 s after it heard the last of one.
loses_the_cable() {
  local run=cable-${1%.sbatch}
  submit "$run" "$1" --set distributed.timeoutSeconds=5
  wait_for 60 'at_step '"$run"' 20'
  cut_cable node2
  ok "$1: a cut cable ends the job within $2 s" \
    'wait_for '"$2"' "grep -qE \"a rank was lost .exit code (71|205)\" $log"'
  ok "$1: the rank behind it is named" \
    'grep -q "rank 1 on node2, last in step [0-9]*, .*, has been silent for" "$log"'
  ok "$1: no rank is left on either side" \
    'wait_for 10 "[ -z \"\$(rank_on node1)\$(rank_on node2)\" ]"'
  join_cable node2
  ok "$1: the job is queued again" 'requeued 1'
  start_now
  ok "$1: it finishes with the same weights" 'completed && same_result "$run"'
}

stops_by_the_clock() {
  LKDIST_TIME_LIMIT=2 step clock
  ok "LKDIST_TIME_LIMIT ends every rank with code 75" '[ $code = 75 ]'
  step clock
  ok "the same command goes on and finishes" '[ $code = 0 ] && same_result clock'
}

turns_term_into_a_checkpoint() {
  log=$work/term.log
  lkdist-job mpirun -n 2 --oversubscribe lkdist train "$config" --output "$work/term" \
    > "$log" 2>&1 &
  wait_for 60 'at_step term 8'
  kill -TERM $!
  wait $!
  code=$?
  ok "TERM to lkdist-job ends mpirun with code 75" \
    '[ $code = 75 ] && grep -q "again to go on" "$log"'
  lkdist-job mpirun -n 2 --oversubscribe lkdist train "$config" --output "$work/term" \
    >> "$log" 2>&1
  code=$?
  ok "the same command goes on and finishes" '[ $code = 0 ] && same_result term'
}

is_cancelled() {
  submit cancel train.sbatch
  wait_for 60 'at_step cancel 5'
  on node1 scancel "$job"
  ok "scancel leaves a checkpoint and no job" \
    'state CANCELLED && [ -s "$work/cancel/checkpoints/last.safetensors" ]'
}

needs_pmix() {
  LKDIST_PMI=none step alone
  ok "srun without PMIx is refused with code 64" \
    '[ $code = 64 ] && grep -q "srun started 2 tasks without PMIx" "$log" && [ ! -e "$work/alone" ]'
  ok "one task alone needs no PMIx" \
    'on node1 srun --mpi=none -n1 lkdist train "$config" --dry-run 2>&1 | grep -q "1 to train"'
}

gives_up() {
  submit wrong train.sbatch --set training.epoch=1
  ok "a mistake in the configuration ends the job" \
    'state FAILED && grep -q "training.epochs" "$log"'
  local name=hopeless
  log=$work/$name.log
  job=$(on node1 sbatch --parsable -D "$work" -o "$log" --open-mode=append \
    --wrap "exec lkdist-job sh -c 'exit 71' --output $name")
  for try in 1 2 3; do
    requeued $try && start_now
  done
  ok "three tries without a checkpoint are enough" \
    'state FAILED && grep -q "3 tries brought no new checkpoint" "$log"'
}

cross_validates() {
  array=(--array=0-1 --nodes=1)
  submit cv cross-validation.sbatch --set data.splits=null --set data.folds=2
  array=()
  local all=$job
  job=${all}_1
  wait_for 60 'at_step cv/fold-1 8'
  on node1 scancel --batch --signal=USR1 "$job"
  ok "a fold that is stopped is queued again" 'requeued 1'
  start_now
  ok "it finishes" 'completed'
  job=${all}_0
  ok "the other folds go on meanwhile" 'completed && [ "$(field Restarts)" = 0 ]'
  ok "the dependent job pools them" 'wait_for 30 "[ -s $work/cv/metrics.json ]"'
  ok "every subject is scored once" \
    '[ "$(grep -cE "colin_(left|right)\"" "$work/cv/metrics.json")" = 2 ]'
}

predicts() {
  log=$work/predict.log
  job=$(on node1 sbatch --parsable -D "$work" -o "$log" "${small[@]}" cluster/predict.sbatch \
    "$work/whole/checkpoints/best.safetensors" "$data" "$work/predictions")
  ok "predict.sbatch segments every subject" \
    'completed && [ "$(ls "$work/predictions" | wc -l)" = 2 ]'
}

# --- The hosts, the data and the order

require_swift
install_packages $build_packages mricron-data $slurm_packages
swift build "${build_options[@]}" --product lkdist > /dev/null || exit 1
work=$(mktemp -d /tmp/lkdist-cluster.XXXXXX)
chmod 755 "$work"
log=$work/slurm/log/slurmctld.log
trap 'slurm_down; hosts_down; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

PATH=$(swift build "${build_options[@]}" --show-bin-path):$PWD/cluster:$PATH
export PATH
allow_mpi_as_root
export OMPI_MCA_mpi_yield_when_idle=1 # the hosts share two cores: never spin
small=(--nodes=2 --ntasks-per-node=1 --cpus-per-task=1 --time=10)
data=$work/data
config=$data/tiny.yaml
steps=240 # some seconds: a kernel twice as fast must leave time to break things

prepare() {
  lkdist sample "$data" && cat > "$config" << YAML
name: tiny
data: {path: ., splits: splits_final.json, spacing: [4, 4, 4], patchSize: [16, 16, 16]}
model: {channels: 16, maximumChannels: 32, scales: 3}
training: {epochs: 2, stepsPerEpoch: $((steps / 2)), validateEvery: 2}
YAML
}

prepare || exit 1
hosts_up 3
ok "a Slurm of three nodes starts" 'slurm_up 3 "$work/slurm"'
tests=(trains_by_srun "stops_and_goes_on train.sbatch" "stops_and_goes_on mpirun.sbatch"
  loses_a_node meets_a_node_again loses_a_rank "loses_the_cable train.sbatch 15"
  stops_by_the_clock
  turns_term_into_a_checkpoint is_cancelled needs_pmix gives_up cross_validates
  predicts)
if [ "${1:-}" = --long ]; then
  shift
  tests+=(meets_the_time_limit notices_a_dead_node "loses_the_cable mpirun.sbatch 75"
    loses_many_ranks leaves_with_75
    loses_ranks_all_the_time)
fi
if [ $# -gt 0 ]; then tests=("$@"); fi # by name
for test in "${tests[@]}"; do
  echo "== ${test//_/ }"
  $test
done
ends
