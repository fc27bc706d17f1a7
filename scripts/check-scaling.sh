#!/usr/bin/env bash
# What `lkdist plan` and `lkdist simulate` forecast beside what steps take between 2 and 4 hosts, which are
# network namespaces of this machine (root only) whose cables carry 10 Gbit/s, 1 Gbit/s and 100 Mbit/s.
#   ./scripts/check-scaling.sh DATA [STEPS]      default: 3 steps of each
set -euo pipefail
data=$(realpath "${1:?the folder of a data set of one channel and two classes}")
steps=${2:-3}
cd "$(dirname "$0")/.."
. scripts/requirements.sh
. scripts/cluster-hosts/hosts.sh

if [ "$(id -u)" -ne 0 ] || ! unshare --net --uts --mount true 2> /dev/null; then
  echo "hosts of our own need root and the right to make namespaces" >&2
  exit 77
fi
build_lkdist iproute2

exec 9> /tmp/lkdist-test-cluster.lock # the hosts' names are the machine's
flock -w 600 9 || { echo "scripts/test-cluster.sh holds the hosts' names" >&2; exit 75; }
folder=$(mktemp -d)
trap 'hosts_down; rm -rf "$folder"' EXIT
"$lkdist" init "$data" -o "$folder/lkdist.yaml" > /dev/null
python3 scripts/check-scaling.py
for hosts in 2 4; do
  hosts_up "$hosts"
  names=$(seq -s, -f 'node%g:1' "$hosts")
  for rate in 10gbit 1gbit 100mbit; do
    limit_cables "$rate"
    python3 scripts/check-scaling.py "$lkdist" "$folder" "$hosts" "$rate" "$steps" \
      ip netns exec lkdist-node1 unshare --uts sh -c 'hostname node1 && exec "$@"' sh \
      mpirun --bind-to none --mca mpi_yield_when_idle 1 \
      --mca plm_rsh_agent "$PWD/scripts/cluster-hosts/shell.sh" -H "$names"
  done
done
