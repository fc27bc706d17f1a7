# Sourced by scripts/test-cluster.sh: the tests of its long set.

# Nothing but Slurm's own clock: its signal a minute before the limit, its two minutes of waiting.
meets_the_time_limit() {
  array=(--time=2 --signal=B:USR1@60)
  LKDIST_TIME_LIMIT=9999 submit slow train.sbatch --set training.stepsPerEpoch=2500
  array=()
  ok "Slurm's own signal queues the job again" 'wait_for 150 "requeued 1"'
  on node1 scontrol update jobid="$job" TimeLimit=30
  ok "Slurm starts it again by itself" 'wait_for 150 "[ \"\$(field JobState)\" = RUNNING ]"'
  ok "it finishes with every step once" 'wait_for 400 completed && [ "$(steps_of slow)" = 5000 ]'
}

# A node goes without a word; only Slurm's own watch over its nodes notices.
notices_a_dead_node() {
  submit dead train.sbatch
  wait_for 60 'at_step dead 20'
  crash node2
  ok "Slurm notices the dead node and queues the job again" 'wait_for 120 "requeued 1"'
  start_now
  ok "it finishes with the same weights" 'completed && same_result dead'
  boot node2
}

loses_many_ranks() {
  local kills=0 before
  submit many train.sbatch
  while [ $kills -lt 5 ] && wait_for 60 '[ -n "$(rank_on node1)" ] || ended'; do
    if ended; then break; fi
    before=$(field Restarts)
    sleep "$((RANDOM % 2)).$((RANDOM % 10))"
    kill -9 "$(rank_on node$((RANDOM % 2 + 1)))" 2> /dev/null || continue
    kills=$((kills + 1))
    requeued $((before + 1))
    # After three tries without a checkpoint it is the user who starts the job again.
    if [ "$(field JobState)" = FAILED ]; then submit many train.sbatch; else start_now; fi
  done
  ok "$kills killed ranks lose nothing" '[ $kills -ge 2 ] && completed && same_result many'
}

leaves_with_75() {
  local i seen=
  for i in 1 2 3 4 5 6 7 8; do
    LKDIST_TIME_LIMIT=1 step "leave-$i"
    seen+="$code "
  done
  ok "srun ends with 75 each time" '[ "$seen" = "75 75 75 75 75 75 75 75 " ]'
}

loses_ranks_all_the_time() {
  log=$work/kills.log
  scripts/kill-tests.sh 200 "$(dirname "$(command -v lkdist)")" > "$log" 2>&1
  code=$?
  grep '^killed: ' "$log"
  ok "200 ranks that mpirun loses lose nothing" '[ $code = 0 ]'
}
