# Functions that start.sh and stop.sh share. Answers are single lines that begin with `$nonce`, a word that
# the log cannot contain; everything between two of them is the job's log, byte for byte.

# Sets pid and alive ("yes", "no", or "" while the job has not begun); pid is "never" when it never will.
look() {
    pid='' began='' alive=''
    [ -e "$dir/pid" ] || return 0
    read -r pid began < "$dir/pid" || :
    alive=no
    case $pid in
        '') return 0 ;; # written, but lost in a power cut
        *[!0-9]*)
            pid=never
            return 0
            ;;
    esac
    { read -r line < "/proc/$pid/stat"; } 2> /dev/null || return 0
    set -f
    set -- ${line##*) }
    set +f
    # A process id is used again one day; its start time tells the two apart.
    if [ "${20}" = "$began" ] && [ "$1" != Z ] && same_boot; then alive=yes; fi
}

same_boot() {
    then='' now=''
    read -r then < "$dir/boot_id" 2> /dev/null || :
    read -r now < /proc/sys/kernel/random/boot_id
    [ "$then" = "$now" ]
}

# Sets rc to the exit code, or to "" when there is none.
result() {
    rc=''
    if [ -e "$dir/rc" ]; then read -r rc < "$dir/rc" || :
    elif [ -e "$spare/$job.rc" ]; then read -r rc < "$spare/$job.rc" || :
    fi
    case $rc in *[!0-9]*) rc='' ;; esac
}

free_kb() { df -Pk "$root" 2> /dev/null | { read -r _ || :; read -r _ _ _ kb _ || kb=0; echo "${kb:-0}"; }; }

nap() { sleep "$1" 2> /dev/null || sleep 1; }

# Takes the runner's place at `pid`, so that this attempt can never start. Fails if it has begun.
# The link needs no space on the disk, and `boot_id` is no number.
forbid() {
    mkdir -p "$dir" || return
    [ -e "$dir/boot_id" ] || echo never > "$dir/boot_id"
    ln "$dir/boot_id" "$dir/pid" 2> /dev/null || return
    rm -f "$dir/stdin"
}

# The job's log from byte `$offset` on, at once, until the job is over.
copy_log() {
    if [ "$alive" != yes ]; then
        tail -c "+$((offset + 1))" "$dir/log" 2> /dev/null
    else
        tail -s 0.02 --pid="$pid" -c "+$((offset + 1))" -f "$dir/log" 2> /dev/null
        # 1: it does not know these options and has printed nothing, or nobody listens any more.
        [ $? != 1 ] || copy_by_hand
    fi
}

# For a tail that cannot watch a process.
copy_by_hand() {
    at=$offset
    while :; do
        look
        was=$alive
        size=$(wc -c < "$dir/log")
        if [ "$size" -gt "$at" ]; then
            tail -c "+$((at + 1))" "$dir/log" | head -c "$((size - at))" || return
            at=$((size + 0))
        elif [ "$was" != yes ]; then
            return
        else
            nap 0.02
        fi
    done
}

# TAIL ended CODE | running | vanished | rebooted, then the size of the log and the free KiB (-: unknown).
say_tail() {
    look
    result
    size=$(wc -c < "$dir/log" 2> /dev/null) || size=0
    kb=$(free_kb)
    # A node that goes down kills the command a moment before its runner: that is no result.
    case $rc in 137 | 143) same_boot || rc='' ;; esac
    if [ -n "$rc" ]; then
        state=ended
    elif [ "$alive" = yes ]; then
        state=running
    else
        state=vanished
        same_boot || state=rebooted
    fi
    printf '%sTAIL %s %s %s %s\n' "$nonce" "$state" "${rc:--}" "$((size + 0))" "${kb:--}"
}
