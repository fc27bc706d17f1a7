#!/usr/bin/env bash
# Weak scaling: a patch and a thread a rank, from 1 rank to 2 through shared memory, for lkdist and for
# PyTorch DDP with gloo; then lkdist between 2 and 4 hosts made of network namespaces (root only; on
# fewer processors than hosts the ranks share them).
#   ./scripts/bench-scaling.sh [PATCH [STEPS [RATE]]]      default: 64,64,64 3 1gbit
set -euo pipefail
patch=${1:-64,64,64}
steps=${2:-3}
rate=${3:-1gbit}
cd "$(dirname "$0")/.."
. scripts/requirements.sh
. scripts/pytorch.sh
. scripts/cluster-hosts/hosts.sh

build_for_bench
program=$bin/lkdist
"$python" scripts/bench-scaling.py "$program" "$patch" "$steps"

if [ "$(id -u)" -ne 0 ] || ! unshare --net --uts --mount true 2> /dev/null; then
  echo "hosts of our own need root and the right to make namespaces: skipped"
  exit 0
fi
exec 9> /tmp/lkdist-test-cluster.lock # the hosts' names are the machine's
flock -w 600 9 || { echo "scripts/test-cluster.sh holds the hosts' names" >&2; exit 75; }
trap hosts_down EXIT
for hosts in 2 4; do
  hosts_up "$hosts"
  limit_cables "$rate"
  names=$(seq -s, -f 'node%g:1' "$hosts")
  on node1 "$PWD/$python" scripts/bench-scaling.py "$PWD/$program" "$patch" "$steps" \
    "$hosts hosts, $rate" mpirun --bind-to none --mca mpi_yield_when_idle 1 \
    --mca plm_rsh_agent "$PWD/scripts/cluster-hosts/shell.sh" -H "$names"
done
