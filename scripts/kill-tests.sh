#!/usr/bin/env bash
# Kills a random rank of a training by SIGKILL, while it trains, validates and writes checkpoints,
# and starts it again, until it is done: nothing may be lost, so the result is that of a run that
# nobody disturbed, to the bit. The last line is the sum, "N passed, N failed".
#   scripts/kill-tests.sh [KILLS [BUILD_FOLDER]]     default: 20 .build/release
#   LKDIST_KILL_SEED=N                               the same choices again
set -uo pipefail
cd "$(dirname "$0")/.."
. scripts/requirements.sh
. scripts/cluster-hosts/jobs.sh
. scripts/counted-tests.sh
kills=${1:-20}
lkdist=$(realpath "${2:-.build/release}")/lkdist
seed=${LKDIST_KILL_SEED:-$RANDOM}
RANDOM=$seed
allow_mpi_as_root
export LKDIST_THREADS=1
work=$(mktemp -d /tmp/lkdist-kills.XXXXXX)
trap 'kill $(jobs -p) 2> /dev/null; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
exec 7<> <(:) # never has a line: `read` from it is a sleep without a process
# An epoch is a second or so: 10 steps, then a validation of many windows, then best and last; and
# more checkpoints between.
epoch=10
epochs=10
steps=$((epoch * epochs))
config=$work/data/kills.yaml
"$lkdist" sample "$work/data" > /dev/null || exit 1
cat > "$config" << YAML
name: kills
data: {path: ., splits: splits_final.json, spacing: [4, 4, 4], patchSize: [16, 16, 16]}
model: {channels: 16, maximumChannels: 128, scales: 4}
optimizer: {learningRate: 2.0e-3}
training: {epochs: $epochs, stepsPerEpoch: $epoch, checkpointMinutes: 0.004, keep: 2}
YAML

# start: trains into $work/$run in the background; what it says is in $log.
start() {
  mpirun -n 2 --oversubscribe "$lkdist" train "$config" --output "$work/$run" > "$log" 2>&1 7>&- &
  launcher=$!
}

# pause SECONDS
pause() { read -rt "$1" -u 7 || true; }

# phase: what the root does now, by its files.
phase() {
  local lines=()
  if compgen -G "$work/$run/checkpoints/.*.partial" > /dev/null; then
    now=checkpoint
    return
  fi
  now=training
  mapfile -t lines 2> /dev/null < "$work/$run/metrics.jsonl"
  if [ ${#lines[@]} -eq 0 ]; then return; fi
  if [[ ${lines[-1]} =~ ^\{\"step\":\ ([0-9]+),.*\"loss\" ]] \
    && [ $((BASH_REMATCH[1] % epoch)) -eq 0 ]; then now=validation; fi
}

# is_running: whether the launcher has not ended.
is_running() { kill -0 "$launcher" 2> /dev/null; }

# meet PHASE: waits until the run is in it and sets $ranks to its processes; fails if it ends before.
meet() {
  local end=$((SECONDS + 30))
  # What the last kill left half-written is gone when the run has begun.
  until grep -qs "results go to" "$log"; do is_running && pause 0.02 || return 1; done
  mapfile -t ranks < <(pgrep -P "$launcher" -x lkdist) # now: a small file is written in 20 ms
  [ ${#ranks[@]} -eq 2 ] || return 1
  until phase && [ $now = "$1" ]; do
    is_running && [ $SECONDS -lt $end ] || return 1
    pause 0.001
  done
}

# kill_in PHASE: starts the run and kills a rank of it there, after a random part of an epoch; sets
# $now to where it really was.
kill_in() {
  local ranks
  start
  meet "$1" || return
  pause "0.$((RANDOM % 5))$((RANDOM % 10))"
  meet "$1" || return
  victim=$((RANDOM % 2))
  kill -9 "${ranks[victim]}" 2> /dev/null
}

# finishes: compares a run that has ended with $code to the undisturbed one.
finishes() {
  ok "run $round finishes after $((done - before)) kills with the same bits" \
    '[ $code = 0 ] && same_result $run && [ "$(tensors $run best)" = "$(tensors whole best)" ]'
  before=$done
}

echo "== $kills killed ranks, seed $seed"
log=$work/whole.log
run=whole
start
wait "$launcher"
ok "the undisturbed run finishes" "[ $? = 0 ]"

declare -A killed=([training]=0 [validation]=0 [checkpoint]=0) of_rank=([0]=0 [1]=0)
phases=(training validation checkpoint)
done=0
before=0
round=1
half=0
lost=0
while [ $done -lt "$kills" ] && [ $failed -eq 0 ]; do
  run=round-$round
  log=$work/$run.log
  victim=
  had=$(ls "$work/$run/checkpoints/last.safetensors" 2> /dev/null)
  kill_in "${phases[done % 3]}" # in turns, so that every phase is hit
  wait "$launcher"
  code=$?
  if [ -z "$victim" ] || [ $code -eq 0 ]; then # it was done, or ended, before the kill
    finishes
    round=$((round + 1))
    continue
  fi
  done=$((done + 1))
  killed[$now]=$((killed[$now] + 1))
  of_rank[$victim]=$((of_rank[$victim] + 1))
  if compgen -G "$work/$run/checkpoints/.*.partial" > /dev/null; then half=$((half + 1)); fi
  if [ -n "$had" ] && [ ! -s "$had" ]; then lost=$((lost + 1)); fi
done
start
wait "$launcher"
code=$?
finishes
ok "the last checkpoint was there after every kill" "[ $lost = 0 ]"
echo "killed: ${killed[training]} in training, ${killed[validation]} in validation," \
  "${killed[checkpoint]} in checkpoint writing ($half files left half-written);" \
  "${of_rank[0]} x rank 0, ${of_rank[1]} x rank 1"
ok "every phase was hit" "[ $done = $kills ] && [ ${killed[training]} -ge $((kills / 10)) ] \
  && [ ${killed[validation]} -ge $((kills / 10)) ] && [ ${killed[checkpoint]} -ge $((kills / 10)) ]"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
