# Sourced by scripts/test-cluster.sh: hosts node1, node2, … on one machine, as network namespaces
# lkdist-node1, …. Their switch is a bridge in a namespace of its own with no way out.

subnet=10.78.0
switch=lkdist-switch

# on HOST COMMAND...: runs COMMAND on a host: its network, and its name for gethostname().
on() {
  local host=$1
  shift
  ip netns exec "lkdist-$host" unshare --uts sh -c 'hostname "$0" && exec "$@"' "$host" "$@" 9>&-
}

# hosts_up N: makes the hosts node1 to nodeN and the cables between them.
hosts_up() {
  local i k host
  hosts_down # what a killed run left
  ip netns add "$switch"
  ip -n "$switch" link add br0 type bridge forward_delay 0 stp_state 0
  ip -n "$switch" link set br0 up
  for ((i = 1; i <= $1; i++)); do
    host=lkdist-node$i
    ip netns add "$host"
    # Without IPv6: its addresses are "tentative" for a second after the link comes up.
    ip netns exec "$host" sh -c 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6' 2> /dev/null
    ip -n "$host" link set lo up # PMIx uses 127.0.0.1
    ip link add eth0 netns "$host" type veth peer name "port$i" netns "$switch"
    ip -n "$switch" link set "port$i" master br0 up
    ip -n "$host" addr add "$subnet.$i/24" dev eth0
    ip -n "$host" link set eth0 up
    mkdir -p "/etc/netns/$host" # `ip netns exec` mounts its files over those of /etc
    echo "127.0.0.1 localhost" > "/etc/netns/$host/hosts"
    for ((k = 1; k <= $1; k++)); do echo "$subnet.$k node$k"; done >> "/etc/netns/$host/hosts"
  done
}

# hosts_down: kills what still runs on the hosts, and removes them.
hosts_down() {
  local host
  for host in $(ip netns list | grep -oE '^lkdist-(node[0-9]+|switch)'); do
    crash "${host#lkdist-}"
    ip netns del "$host"
    rm -rf "/etc/netns/$host"
  done
  rmdir /etc/netns 2> /dev/null || true
  return 0
}

# crash HOST: kills every process on the host at once.
crash() {
  local process
  for process in $(ip netns pids "lkdist-$1"); do kill -9 "$process" 2> /dev/null; done
  return 0
}

# cut_cable HOST, join_cable HOST: packets vanish without a word, as when the power goes.
cut_cable() { ip -n "$switch" link set "port${1#node}" nomaster; }
join_cable() { ip -n "$switch" link set "port${1#node}" master br0; }

# limit_cables RATE: no cable carries more than RATE (such as 1gbit) in either direction. A burst of 64 KiB
# would cut TCP's large segments into packets on the processor, which real network cards do themselves.
limit_cables() {
  local host i
  for host in $(ip netns list | grep -oE '^lkdist-node[0-9]+'); do
    i=${host#lkdist-node}
    tc -n "$host" qdisc replace dev eth0 root tbf rate "$1" burst 256kb latency 50ms
    tc -n "$switch" qdisc replace dev "port$i" root tbf rate "$1" burst 256kb latency 50ms
  done
}
