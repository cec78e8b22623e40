# Stops a job with everything it started and proves that nothing is left.
# STOP stopped | left PIDS… | ended CODE | absent
set -u
export LC_ALL=C
umask 077
trap '' HUP PIPE
nonce=$1 root=$2 spare=$3 job=$4 grace=$5
dir=$root/jobs/$job
unit=clusterpanel-$job.service

answer() {
    printf '%sSTOP %s\n' "$nonce" "$*"
    exit 0
}

# Every process of the job: of its systemd unit's control group, with its mark in the environment, or of
# its session. Our own shell is never among them.
members() {
    {
        grep -l -F "/$unit" /proc/[0-9]*/cgroup
        grep -l -a -z -x -F "CLUSTERPANEL_JOB=$job" /proc/[0-9]*/environ
    } 2> /dev/null | while IFS=/ read -r _ _ id _; do echo "$id"; done
    cat /proc/[0-9]*/stat 2> /dev/null |
        awk -v session="${pid:-none}" '{ id = $1; sub(/^.*\) /, "") } $4 == session && $1 != "Z" { print id }'
}

signal_all() {
    for id in $found; do kill "-$1" "$id" 2> /dev/null; done
}

seconds() {
    read -r up _ < /proc/uptime
    echo "${up%%.*}"
}

# Ends when nothing is left, or after `$2` seconds. TERM is sent once, KILL again and again.
sweep() {
    end=$(($(seconds) + $2))
    found=$(members | sort -un)
    signal_all "$1"
    while [ -n "$found" ] && [ "$(seconds)" -lt "$end" ]; do
        sleep 0.1 2> /dev/null || sleep 1
        found=$(members | sort -un)
        [ "$1" = TERM ] || signal_all "$1"
    done
}

pid=''
if [ ! -e "$dir/pid" ]; then
    forbid && answer absent
fi
look
[ "$pid" != never ] || answer absent
result
[ -z "$rc" ] || answer ended "$rc"
sweep TERM "$grace"
[ -z "$found" ] || sweep KILL 10
if [ -d /run/systemd/system ]; then systemctl reset-failed "$unit" > /dev/null 2>&1; fi
# The command may have ended by itself while we were looking.
result
[ -z "$rc" ] || [ "$rc" -gt 128 ] || answer ended "$rc"
rm -f "$dir/stdin"
[ -z "$found" ] || answer left $found
answer stopped
