# Sourced by scripts/test-cluster.sh: submitting the jobs of cluster/ and looking at them. The job
# in question is $job, its output $log, its run $work/NAME.

array=()

# wait_for SECONDS CONDITION: until CONDITION holds.
wait_for() {
  local end=$((SECONDS + $1))
  until eval "$2"; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.2
  done
}

# submit NAME SCRIPT FLAGS...: trains into $work/NAME by a script of cluster/, on two nodes.
submit() {
  local name=$1 script=$2
  shift 2
  log=$work/$name.log
  job=$(on node1 sbatch --parsable -D "$work" -o "$log" "${small[@]}" "${array[@]}" \
    "$PWD/cluster/$script" "$config" "$name" "$@")
}

# step NAME: trains into $work/NAME by one srun on two nodes, without a job script; sets $code.
step() {
  log=$work/$1.log
  on node1 srun --mpi="${LKDIST_PMI:-pmix}" "${small[@]}" -D "$work" \
    lkdist train "$config" --output "$1" > "$log" 2>&1
  code=$?
}

# field NAME: of what scontrol says about $job; of an array, one word for all elements if alike.
field() {
  on node1 scontrol -o show job "$job" 2> /dev/null | grep -oE "(^| )$1=[^ ]*" | cut -d= -f2 \
    | sort -u
}

# state STATE: waits until $job has ended in STATE.
state() {
  wait_for 60 ended
  [ "$(field JobState)" = "$1" ]
}
completed() { state COMPLETED; }
ended() {
  local states
  states=$(field JobState)
  [ -n "$states" ] && ! grep -qvE '^(COMPLETED|FAILED|CANCELLED|TIMEOUT)$' <<< "$states"
}

# requeued N: waits until $job has been queued again N times, or has ended.
requeued() {
  wait_for 60 'ended || { [ "$(field Restarts)" = '"$1"' ] && [ "$(field JobState)" = PENDING ]; }'
  [ "$(field Restarts)" = "$1" ]
}

# start_now: spares $job the two minutes that a requeued one waits; an update while the job still
# ends is undone, so it is repeated. A start in the second of the requeue would be refused ("Job
# credential revoked").
start_now() {
  local before
  before=$(field Restarts)
  sleep 2
  # A short job may have run and be queued again between two looks.
  wait_for 30 '[ "$(field JobState)" != PENDING ] || [ "$(field Restarts)" != '"$before"' ] \
    || { on node1 scontrol update jobid="$job" StartTime=now 2> /dev/null; false; }'
}

# at_step NAME N: whether the run has done N steps.
at_step() { [ "$(steps_of "$1")" -ge "$2" ]; }
steps_of() { cat "$work/$1/metrics.jsonl" 2> /dev/null | grep -c '"loss"'; }

# same_result NAME: whether the run has every step once, and the weights, moments and state of the
# undisturbed one.
same_result() {
  [ "$(steps_of "$1")" = "$steps" ] && [ "$(tensors "$1")" = "$(tensors whole)" ]
}

# tensors NAME [best]: the hash of the tensors in the run's last checkpoint, its header left out.
tensors() {
  local file=$work/$1/checkpoints/${2:-last}.safetensors
  tail -c +$((9 + $(od -An -tu8 -N8 "$file"))) "$file" | sha256sum
}

# hosts_of NAME: the hosts of the run's ranks, on one line.
hosts_of() { sed -n '/"hosts"/,/]/p' "$work/$1/manifest.json" | grep -oE 'node[0-9]+' | xargs; }

# setting NAME HOST: an environment variable of the rank on a host.
setting() { tr '\0' '\n' < "/proc/$(rank_on "$2")/environ" | sed -n "s/^$1=//p"; }

# rank_on HOST: the process id of lkdist on a host.
rank_on() {
  local process
  for process in $(ip netns pids "lkdist-$1"); do
    if [ "$(cat "/proc/$process/comm" 2> /dev/null)" = lkdist ]; then echo "$process"; fi
  done
}
