#!/bin/sh
# supervise.sh 'KEEPER_GROUPS' 'BOX_GROUPS' NSPAWN [ARG...]
# Keeps one lab node: boots it, boots it again when it asked for a reboot, ends when it is off.
# It is a process of its own, so the node lives on when the tool that started it is gone.

keeper=$1 box=$2
shift 2

# A group that was removed meanwhile means the lab was taken down: then nothing may start.
for group in $keeper; do
    echo 0 >"$group/cgroup.procs" || exit 1
done

while :; do
    (
        # Each node's systemd needs a tree of its own, or its units fail with 219/CGROUP.
        for group in $box; do
            echo 0 >"$group/cgroup.procs" || exit 1
        done
        exec "$@"
    )
    rc=$?
    echo "supervise: the node ended with status $rc at $(date '+%F %T')"
    [ "$rc" -eq 133 ] || exit "$rc" # 133: `systemctl reboot` under --keep-unit
    for group in $box; do
        find "$group" -mindepth 1 -depth -type d -exec rmdir {} + 2>/dev/null
    done
done
