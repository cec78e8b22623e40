# What a lock says, for lock.sh, unlock.sh, beat.sh and signs.sh.

# Sets holder and holds: the panel and the run of the lock in directory `$1`.
read_owner() {
    holder='' holds=''
    read -r holder < "$1/panel" || :
    read -r holds < "$1/run" || :
} 2> /dev/null

ours() { [ "$holder" = "$panel" ] && [ "$holds" = "$run" ]; }

# Sets now: seconds since the boot, and which boot. Nobody can set this clock, unlike the time of day.
clock() {
    up='' boot=''
    read -r up _ < /proc/uptime
    read -r boot < /proc/sys/kernel/random/boot_id
    up=${up%%.*}
    now="$up $boot"
}

# Sets beat to the last sign of life in directory `$1`, '' when none can be read.
read_beat() {
    beat=''
    read -r beat < "$1/beat" || beat=''
} 2> /dev/null

# Sets silent to the seconds since that sign, '-' when they are not known. A beat of an earlier boot: the
# holder, if it lived, would have given one since this boot began.
silence() {
    silent=-
    clock
    case ${beat%% *} in '' | *[!0-9]*) return ;; esac
    if [ "${beat#* }" = "$boot" ]; then silent=$((up - ${beat%% *})); else silent=$up; fi
}
