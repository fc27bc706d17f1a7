# Sourced by scripts/test-cluster.sh after hosts.sh: a Slurm of its own on the hosts, from Debian's
# packages and without systemd, control groups or a file in /etc. Everything lies in $slurm.

slurm_packages="munge slurmctld slurmd slurm-client slurm-wlm-basic-plugins iproute2"

# slurm_up N FOLDER: munged, slurmctld on node1, and a slurmd on each of node1 to nodeN.
slurm_up() {
  slurm=$2
  export SLURM_CONF=$slurm/slurm.conf
  mkdir -p "$slurm"/{state,spool,tmp,log,run,munge}
  chmod 755 "$slurm" "$slurm/munge"
  (umask 077 && head -c 128 /dev/urandom > "$slurm/munge/key")
  munged --key-file="$slurm/munge/key" --socket="$slurm/munge/socket" --num-threads=2 \
    --pid-file="$slurm/run/munged.pid" --log-file="$slurm/log/munged.log" \
    --seed-file="$slurm/munge/seed" 9>&- || return 1
  write_slurm_conf "$1"
  on node1 slurmctld -c || return 1
  local i
  for ((i = 1; i <= $1; i++)); do boot "node$i" || return 1; done
  wait_for 30 '[ "$(on node1 sinfo -h -N -t idle -o %N 2> /dev/null | wc -l)" = '"$1"' ]'
}

# boot HOST: (re)starts the host's slurmd, with its folders as a crash left them.
boot() {
  mkdir -p "$slurm/spool/$1" "$slurm/tmp/$1"
  on "$1" slurmd -N "$1"
}

# slurm_down: ends the daemons by their process ids, and the step daemons that are theirs.
slurm_down() {
  local process file
  for process in /proc/[0-9]*; do
    [ "$(cat "$process/comm" 2> /dev/null)" = slurmstepd ] || continue
    tr '\0' '\n' 2> /dev/null < "$process/environ" | grep -qx "SLURM_CONF=$SLURM_CONF" \
      && kill -9 "${process#/proc/}"
  done
  for file in "$slurm"/run/slurmd-*.pid "$slurm"/run/slurmctld.pid "$slurm"/run/munged.pid; do
    end_daemon "$file"
  done
}

# end_daemon FILE: ends the process of a pid file FILE, if it is still the daemon FILE is named for.
end_daemon() {
  local process name i
  [ -s "$1" ] || return 0
  process=$(cat "$1")
  name=$(basename "$1" .pid)
  [ "$(cat "/proc/$process/comm" 2> /dev/null)" = "${name%%-*}" ] || return 0
  kill "$process"
  for ((i = 0; i < 50; i++)); do
    kill -0 "$process" 2> /dev/null || return 0
    sleep 0.1
  done
  kill -9 "$process"
}

# What is unusual in it was needed here: cgroup/v1 stops slurmd from looking for /sys/fs/cgroup,
# which `ip netns exec` hides; nodes that share a /tmp need a TmpFS each, or the PMIx plugin's
# folders collide; eight CPUs a node are more than the machine has; a job starts within a second.
write_slurm_conf() {
  local i
  echo "CgroupPlugin=cgroup/v1" > "$slurm/cgroup.conf"
  : > "$slurm/plugstack.conf"
  cat > "$SLURM_CONF" << CONF
ClusterName=lkdist
SlurmctldHost=node1($subnet.1)
SlurmctldPort=16817
AuthType=auth/munge
AuthInfo=socket=$slurm/munge/socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$slurm/state
SlurmdSpoolDir=$slurm/spool/%n
TmpFS=$slurm/tmp/%n
SlurmctldPidFile=$slurm/run/slurmctld.pid
SlurmdPidFile=$slurm/run/slurmd-%n.pid
SlurmctldLogFile=$slurm/log/slurmctld.log
SlurmdLogFile=$slurm/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,sched_min_interval=0
JobRequeue=1
ReturnToService=2
SlurmdTimeout=15
MessageTimeout=10
KillWait=5
MinJobAge=600
MailProg=/bin/true
$(for ((i = 1; i <= $1; i++)); do
    echo "NodeName=node$i NodeAddr=$subnet.$i Port=17000 CPUs=8 RealMemory=2000"
  done)
PartitionName=main Nodes=ALL Default=YES MaxTime=UNLIMITED State=UP
CONF
}
