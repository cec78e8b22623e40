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

# Every process of the job: of its systemd unit's control group, of its session, or with its mark
# in the environment. Our own shell is never among them.
members() {
    {
        grep -l -F "/$unit" /proc/[0-9]*/cgroup
        grep -l -a -z -x -F "CLUSTERPANEL_JOB=$job" /proc/[0-9]*/environ
    } 2> /dev/null | while IFS=/ read -r _ _ id _; do echo "$id"; done
    of_session
}

of_session() {
    case $pid in '' | *[!0-9]*) return ;; esac
    for stat in /proc/[0-9]*/stat; do
        { read -r line < "$stat"; } 2> /dev/null || continue
        set -f
        set -- ${line##*) }
        set +f
        if [ "$4" = "$pid" ] && [ "$1" != Z ]; then
            stat=${stat#/proc/}
            echo "${stat%/stat}"
        fi
    done
}

signal_all() {
    for id in $found; do kill "-$1" "$id" 2> /dev/null; done
}

# Ends when nothing is left, or after `$2` tries of a tenth of a second.
sweep() {
    tries=0
    found=$(members | sort -un)
    while [ -n "$found" ] && [ "$tries" -lt "$2" ]; do
        [ "$1" = TERM ] && [ "$tries" -gt 0 ] || signal_all "$1"
        sleep 0.1 2> /dev/null || sleep 1
        tries=$((tries + 1))
        found=$(members | sort -un)
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
[ -z "$found" ] || sweep KILL 50
if [ -d /run/systemd/system ]; then systemctl reset-failed "$unit" > /dev/null 2>&1; fi
# The command may have ended by itself while we were looking.
result
[ -z "$rc" ] || [ "$rc" -gt 128 ] || answer ended "$rc"
rm -f "$dir/stdin"
[ -z "$found" ] || answer left $found
answer stopped
