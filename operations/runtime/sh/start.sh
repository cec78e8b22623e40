# Starts a job, or attaches to it, and copies its log to standard output until it is over.
# HEAD started | attached, or HEAD and the reason why nothing was started.
set -u
export LC_ALL=C
umask 077
trap '' HUP PIPE # a cut connection must not stop us between "claimed" and "started"
nonce=$1 root=$2 spare=$3 panel=$4 run=$5 job=$6 offset=$7 mode=$8
shift 8
manager=$1 bytes=$2 earlier=$3 runner=$4 command=$5
dir=$root/jobs/$job
new=$root/jobs/.$job.$nonce
unit=clusterpanel-$job.service
# The other half of the word: a list of processes shows the arguments, and a job may print one.
read -r hidden || hidden=''
nonce=$nonce$hidden

head_is() { printf '%sHEAD %s\n' "$nonce" "$*"; }
refuse() {
    rm -rf "$new"
    head_is "$@"
    exit 0
}

owned() {
    holder='' holds=''
    read -r holder < "$root/lock/panel" 2> /dev/null || :
    read -r holds < "$root/lock/run" 2> /dev/null || :
    [ "$holder" = "$panel" ] && [ "$holds" = "$run" ]
}

check_lock() { owned || refuse nolock "${holds:--}" "$holder"; }

# An earlier attempt that left no exit code may still be at work.
check_earlier() {
    [ -n "$earlier" ] && [ -d "$root/jobs/$earlier" ] || return 0
    dir=$root/jobs/$earlier
    look
    dir=$root/jobs/$job
    [ "$alive" != yes ] || refuse busy "$earlier"
}

prepare() {
    read -r boot < /proc/sys/kernel/random/boot_id
    mkdir -p "$new" &&
        printf '%s\n' "$command" > "$new/command" &&
        printf '%s\n' "$runner" > "$new/runner" &&
        printf '%-31s\n' '' > "$new/slot" &&
        printf '%-31s\n' '' > "$new/rc.new" &&
        printf '%s\n' "$boot" > "$new/boot_id" &&
        : > "$new/log" &&
        { [ "$bytes" = - ] || cat > "$new/stdin"; } &&
        [ -s "$new/runner" ] && [ -s "$new/slot" ] && [ -s "$new/rc.new" ] && [ -s "$new/boot_id" ]
}

has_systemd() { [ "$manager" != setsid ] && [ -d /run/systemd/system ] && command -v systemd-run > /dev/null; }

# KillMode=process: a daemon that the step leaves behind on purpose (a FUSE mount) outlives it.
start() {
    if has_systemd; then
        error=$(systemd-run -q --unit="$unit" -p KillMode=process \
            /bin/sh "$dir/runner" "$dir" "${HOME:-/root}" "$run" "$spare" 2>&1 < /dev/null) && return
        forbid || return 0 # it was started all the same
        refuse nostart "$error"
    fi
    setsid sh "$dir/runner" "$dir" "${HOME:-/root}" "$run" "$spare" < /dev/null > /dev/null 2>&1 &
}

# A job directory without a pid: somebody is starting it now, or died between the two.
await_begin() {
    waited=0
    look
    while [ -z "$alive" ]; do
        [ "$waited" -lt 1500 ] || { forbid && refuse stuck; }
        nap 0.005
        waited=$((waited + 1))
        look
    done
    [ "$pid" != never ] || refuse stuck
}

# The directory appears whole and once: a rename onto one that is there fails. Where `mv` knows no -T,
# `mkdir` decides and the files follow.
claim() {
    mv -T "$new" "$dir" 2> /dev/null && return
    [ ! -d "$dir" ] && mkdir "$dir" 2> /dev/null || return
    error=$(mv "$new"/* "$dir" 2>&1) && return
    forbid
    refuse nospace "$(free_kb)" "$error"
}

answer=attached
if [ ! -d "$dir" ]; then
    [ "$mode" = start ] || refuse absent
    check_lock
    check_earlier
    prepare 2> /dev/null || refuse nospace "$(free_kb)" "$(prepare 2>&1)"
    [ "$bytes" = - ] || [ "$(($(wc -c < "$new/stdin") + 0))" = "$bytes" ] || refuse short
    if claim; then
        # Another panel may have taken the lock over since we looked. It does that before it looks for
        # claims, we look again after ours: one of the two sees the other.
        owned || {
            forbid
            refuse nolock "${holds:--}" "$holder"
        }
        start
        answer=started
    fi
    [ ! -d "$new" ] || rm -rf "$new"
fi
exec < /dev/null
await_begin
head_is "$answer"
copy_log
say_tail
