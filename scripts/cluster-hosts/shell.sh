#!/bin/sh
# shell.sh HOST COMMAND: what Open MPI starts in place of ssh, and like ssh with none of the caller's
# environment: a shell on a host of hosts.sh.
while [ "${1#-}" != "$1" ]; do shift; done
host=$1
shift
exec ip netns exec "lkdist-$host" unshare --uts env -i HOME="${HOME:-/root}" PATH="$PATH" LANG=C \
  sh -c "hostname $host; $*"
