# Takes this node for one run of one panel. `mkdir` decides (law 1).
# LOCK taken | held RUN SINCE USER|PANEL | busy JOB | nospace KB ERROR
set -u
export LC_ALL=C
umask 077
nonce=$1 root=$2 spare=$3 panel=$4 run=$5 since=$6 user=$7 replaces=$8
lock=$root/lock

answer() {
    printf '%sLOCK %s\n' "$nonce" "$*"
    exit 0
}

write_lock() {
    error=$({ printf '%s\n' "$panel" > "$lock/panel" && printf '%s\n' "$since" > "$lock/since" &&
        printf '%s\n' "$user" > "$lock/user" && printf '%s\n' "$run" > "$lock/run" &&
        [ -s "$lock/run" ]; } 2>&1) && return
    rm -rf "$lock"
    answer nospace "$(free_kb)" "$error"
}

read_lock() {
    holder='' holds='' held_since='' held_by=''
    read -r holder < "$lock/panel" || :
    read -r holds < "$lock/run" || :
    read -r held_since < "$lock/since" || :
    read -r held_by < "$lock/user" || :
} 2> /dev/null

# `run` is written last: a lock without it is being written, or its writer died in between.
await_lock() {
    waited=0
    read_lock
    while [ -z "$holds" ] && [ -d "$lock" ] && [ "$waited" -lt 100 ]; do
        nap 0.02
        waited=$((waited + 1))
        read_lock
    done
    if [ -z "$holds" ] && [ -n "$(find "$lock" -maxdepth 0 -mmin +1 2> /dev/null)" ]; then
        write_lock
        read_lock
    fi
}

# A job of another run that is still at work, whoever started it.
check_jobs() {
    for dir in "$root"/jobs/*/; do
        dir=${dir%/}
        [ -e "$dir/pid" ] && [ ! -e "$dir/rc" ] || continue
        job=${dir##*/}
        case $job in "$run"-*) continue ;; esac
        look
        [ "$alive" != yes ] || {
            rm -rf "$lock"
            answer busy "$job"
        }
    done
}

error=$(mkdir -p "$root" 2>&1) || answer nospace "$(free_kb)" "$error"
if mkdir "$lock" 2> /dev/null; then
    write_lock
    check_jobs
    answer taken
fi
[ -d "$lock" ] || answer nospace "$(free_kb)" "$(mkdir "$lock" 2>&1)"
await_lock
if [ "$holder" = "$panel" ] && [ "$holds" = "$run" ]; then answer taken; fi
if [ -n "$replaces" ] && [ "$holder" = "$panel" ] && [ "$holds" = "$replaces" ]; then
    write_lock
    check_jobs
    answer taken
fi
answer held "${holds:--}" "${held_since:--}" "${held_by:--}|$holder"
