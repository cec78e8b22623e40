# Takes this node for one run of one panel. `mkdir` decides (law 1).
# LOCK taken | held RUN SINCE NODES USER|PANEL | busy JOB | nospace KB ERROR
set -u
export LC_ALL=C
umask 077
nonce=$1 root=$2 spare=$3 panel=$4 run=$5 since=$6 user=$7
shift 7
limit=$1 nodes=$2
# A lock that may be put aside: whose it is, and the last beat by which that was decided ("any": our own).
old_panel=$3 old_run=$4 old_beat=$5
lock=$root/lock

answer() {
    printf '%sLOCK %s\n' "$nonce" "$*"
    exit 0
}

write_lock() {
    clock
    error=$({ printf '%s\n' "$panel" > "$lock/panel" && printf '%s\n' "$since" > "$lock/since" &&
        printf '%s\n' "$user" > "$lock/user" && printf '%s\n' "$nodes" > "$lock/nodes" &&
        printf '%s\n' "$limit" > "$lock/limit" && printf '%-63s\n' "$now" > "$lock/beat" &&
        printf '%s\n' "$run" > "$lock/run" && [ -s "$lock/run" ]; } 2>&1) && return
    rm -rf "$lock"
    answer nospace "$(free_kb)" "$error"
}

read_lock() {
    read_owner "$lock"
    held_since='' held_by='' held_on=''
    read -r held_since < "$lock/since" || :
    read -r held_by < "$lock/user" || :
    read -r held_on < "$lock/nodes" || :
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

# A job of another run that is still at work, whoever started it. One that was claimed by the run we take
# over from and has not begun never will.
check_jobs() {
    for dir in "$root"/jobs/*/; do
        dir=${dir%/}
        [ ! -e "$dir/rc" ] || continue
        job=${dir##*/}
        case $job in
            "$run"-*) continue ;;
            "$old_run"-*) [ -e "$dir/pid" ] || forbid ;;
        esac
        [ -e "$dir/pid" ] || continue
        look
        [ "$alive" != yes ] || {
            rm -rf "$lock"
            answer busy "$job"
        }
    done
}

judged() {
    read_beat "$1"
    [ "$holder" = "$old_panel" ] && [ "$holds" = "$old_run" ] && [ -n "$old_run" ] &&
        { [ "$old_beat" = any ] || [ "$beat" = "$old_beat" ]; }
}

# Of two who put a lock aside one succeeds. If its owner gave a sign of life meanwhile, it goes back.
put_aside() {
    judged "$lock" || return
    aside=$root/.lock.$nonce
    mv "$lock" "$aside" 2> /dev/null || return
    read_owner "$aside"
    if judged "$aside"; then
        rm -rf "$aside"
        return
    fi
    [ -d "$lock" ] || mv "$aside" "$lock"
    return 1
}

take() {
    mkdir "$lock" 2> /dev/null || return
    write_lock
    check_jobs
    answer taken
}

error=$(mkdir -p "$root" 2>&1) || answer nospace "$(free_kb)" "$error"
take
[ -d "$lock" ] || answer nospace "$(free_kb)" "$(mkdir "$lock" 2>&1)"
await_lock
! ours || answer taken
! put_aside || take
read_lock
answer held "${holds:--}" "${held_since:--}" "${held_on:--}" "${held_by:--}|$holder"
