"""The shell of stopping and starting: POSIX sh, every wait bounded or left to a proof.

A database is started with --no-block: the job ends at once, and the proof waits as long as data
moves. A restart of the server is ordered by a job that has ended before the server goes down, so
that its exit code and its log are whole; that it happened is proven by the boot id.
"""

from nodes.domain.traces import DATADIR, FOLDER

# One line: key=value words. See `stop_order.py`.
NOTE = "/var/lib/clusterpanel/stop-order"

_COMMON = f"""
export LC_ALL=C
note={NOTE}
fail() {{ echo "ERROR: $*" >&2; exit 1; }}
noted() {{
    [ -r "$note" ] || return 0
    read -r line < "$note"
    for word in $line; do
        case $word in "$1"=*) echo "${{word#*=}}"; return 0 ;; esac
    done
}}
no_marker() {{
    ! systemctl show-environment | grep -q '^_WSREP_NEW_CLUSTER=.' ||
        fail "a bootstrap marker is set in systemd: systemctl unset-environment _WSREP_NEW_CLUSTER"
    for left in /run/*wsrep-new-cluster /run/*/wsrep-new-cluster; do
        [ ! -e "$left" ] || fail "a bootstrap marker is left: $left"
    done
}}
boots_again() {{
    [ "$(noted boots)" != yes ] || systemctl enable mariadb ||
        fail "mariadb would not start at the next boot"
}}
start_database() {{
    no_marker
    boots_again
    case $(systemctl is-active mariadb) in
        active | activating | reloading) echo "mariadb runs or starts already"; return ;;
    esac
    systemctl reset-failed mariadb 2> /dev/null
    systemctl --no-block start mariadb || fail "systemd did not take the order to start mariadb"
    echo "mariadb is being started"
}}
stop_database() {{
    if systemctl is-active -q mariadb.socket; then
        systemctl stop mariadb.socket && echo "mariadb.socket is stopped: it would start mariadb again"
    fi
    systemctl stop mariadb || fail "mariadb did not stop"
    echo "mariadb is stopped"
}}
fstype() {{ findmnt -n -o FSTYPE --mountpoint "$(realpath -m -- "$1")" 2> /dev/null | tail -n 1; }}
answers() {{ timeout -k 1 10 ls -- "$1" > /dev/null 2>&1; }}
start_glusterd() {{
    systemctl is-active -q glusterd && return
    systemctl reset-failed glusterd 2> /dev/null
    systemctl start glusterd || fail "glusterd did not start"
    echo "glusterd is started"
}}
mount_storage() {{
    [ "$(fstype "$1")" = fuse.glusterfs ] && answers "$1" && {{ echo "$1 is mounted"; return; }}
    tries=0
    until
        [ "$(fstype "$1")" != fuse.glusterfs ] || umount -l "$1"
        mount "$1" 2>&1 && answers "$1"
    do
        tries=$((tries + 1))
        [ "$tries" -lt 30 ] || fail "$1 could not be mounted"
        sleep 2
    done
    echo "$1 is mounted again"
}}
volumes() {{
    gluster --mode=script volume list 2> /dev/null < /dev/null | grep -v '^No volumes present'
}}
"""

RESTART_DATABASE = _COMMON + "no_marker\nstop_database\nstart_database\n"

# $1: the data directory, "" when it is not known. A cluster lives, so this server joins: with a
# gvwstate.dat of its own it would wait without end for those who were with it last, or, if it was
# alone then and does not hear the others now, be Primary by itself (Galera documentation, pc.recovery).
JOIN_DATABASE = (
    _COMMON
    + "datadir=$1\n"
    + DATADIR
    + rf"""
folder={FOLDER}
case $(systemctl is-active mariadb) in
    active | activating | reloading | deactivating) ;;
    *)
        if [ -e "$datadir/gvwstate.dat" ]; then
            mkdir -p -m 700 "$folder" && mv -f "$datadir/gvwstate.dat" "$folder/gvwstate.dat" ||
                fail "gvwstate.dat cannot be set aside in $folder"
            echo "gvwstate.dat is set aside in $folder: it joins, it does not form the old component again"
        fi ;;
esac
start_database
"""
)
STOP_DATABASE = _COMMON + "stop_database\n"

RESTART_STORAGE = (
    _COMMON
    + r"""
systemctl reset-failed glusterd 2> /dev/null
systemctl restart glusterd || fail "glusterd did not start again"
echo "glusterd is started again"
"""
)

# $1: the storage directory. Graceful: the mount first, then the daemon with its bricks. Where the unit
# has KillMode=process, a stop alone leaves the bricks; they are in the unit's control group.
STOP_STORAGE = (
    _COMMON
    + r"""
if [ "$(fstype "$1")" = fuse.glusterfs ]; then
    umount "$1" || fail "$1 is in use: stop what uses it (fuser -vm $1 names it), then retry"
    echo "$1 is unmounted"
fi
systemctl kill -s TERM glusterd 2> /dev/null
systemctl stop glusterd || fail "glusterd did not stop"
echo "glusterd and what it had started are stopped"
"""
)

# $1: the storage directory, "" when this server has none; $2: "database" or "". After a boot.
START_SERVICES = (
    _COMMON
    + r"""
[ -z "$1" ] || start_glusterd
[ "$2" != database ] || start_database
[ -z "$1" ] || mount_storage "$1"
"""
)

START_GLUSTERD = _COMMON + "start_glusterd\n"

# The known remedy for a brick that stayed down after a boot: `volume start force` starts what is
# missing and touches nothing that runs.
START_BRICKS = (
    _COMMON
    + r"""
# Whoever asks the pool anything, the panel's own look too, holds its lock for a moment.
start_by_force() {
    tries=0
    until said=$(gluster --mode=script volume start "$1" force 2>&1 < /dev/null); do
        printf '%s\n' "$said"
        case $said in *'nother transaction'* | *'ocking failed'*) ;; *) return 1 ;; esac
        tries=$((tries + 1))
        [ "$tries" -lt 20 ] || return 1
        sleep 3
    done
    printf '%s\n' "$said"
}
start_glusterd
tries=0
until [ -n "$(volumes)" ] || [ "$tries" -ge 10 ]; do tries=$((tries + 1)); sleep 1; done
for volume in $(volumes); do
    start_by_force "$volume" || fail "$volume did not start"
done
"""
)

# $1: the storage directory.
START_STORAGE = START_BRICKS + 'mount_storage "$1"\n'
REMOUNT = _COMMON + 'mount_storage "$1"\n'

# Healing begins by itself within ten minutes; this begins it now.
HEAL = (
    _COMMON
    + r"""
for volume in $(volumes); do
    gluster --mode=script volume heal "$volume" < /dev/null || :
done
exit 0
"""
)

# $1: run, $2: step. At most once in a run: the job of an earlier attempt knows its boot.
REBOOT = r"""
export LC_ALL=C
read -r boot < /proc/sys/kernel/random/boot_id
for job in /var/lib/clusterpanel/jobs/"$1-$2"-*; do
    then=
    read -r then < "$job/boot_id" 2> /dev/null
    case $then in '' | never | "$boot") continue ;; esac
    echo "this server was restarted by this run already; it is not restarted again"
    exit 0
done
echo "the server restarts in 2 seconds"
(sleep 2; exec systemctl reboot) < /dev/null > /dev/null 2>&1 &
"""

# $1: run, $2 and $3: which of how many is stopped, $4: the data directory. What was on is noted
# before anything changes, so that a second try does not take "off" for how it was.
STOP_IN_ORDER = (
    _COMMON
    + r"""
run=$1 place=$2 of=$3 datadir=$4
boots=yes units=
if [ "$(noted run)" = "$run" ]; then
    boots=$(noted boots) units=$(noted units)
else
    [ "$(systemctl is-enabled mariadb 2> /dev/null)" = enabled ] || boots=no
    units=$(systemctl list-units --no-legend --state=active supervisord.service supervisor.service \
        'dpiui2*.service' 2> /dev/null | while read -r unit rest; do printf '%s,' "$unit"; done)
fi
write_note() {
    echo "run=$run place=$place of=$of boots=$boots units=$units $*" > "$note.new" &&
        mv -f "$note.new" "$note" || fail "the order of the stop cannot be written to $note"
}
write_note state=stopping
for unit in $(echo "$units" | tr , ' '); do
    systemctl stop "$unit" && echo "background work is stopped: $unit"
done
stop_database
[ "$boots" = no ] || systemctl disable mariadb || fail "mariadb would start at the next boot"
value() { sed -n "s/^$1:[[:space:]]*//p" "$datadir/grastate.dat" | tail -n 1; }
write_note state=stopped uuid="$(value uuid)" seqno="$(value seqno)"
sync
echo "stopped as number $place of $of, at $(value uuid):$(value seqno)"
"""
)

# $1: the data directory, $2: UUID, $3: position. Refuses by itself what the plan has ruled out.
BOOTSTRAP = (
    _COMMON
    + r"""
value() { sed -n "s/^$1:[[:space:]]*//p" "$datadir/grastate.dat" | tail -n 1; }
datadir=$1
no_marker
case $(systemctl is-active mariadb) in
    active | activating | deactivating | reloading) fail "mariadb is not stopped here" ;;
esac
[ "$(value safe_to_bootstrap)" = 1 ] || fail "safe_to_bootstrap is not 1 in $datadir/grastate.dat"
[ "$(value uuid):$(value seqno)" = "$2:$3" ] || fail "grastate.dat is no longer at $2:$3"
systemctl reset-failed mariadb 2> /dev/null
galera_new_cluster
code=$?
systemctl unset-environment _WSREP_NEW_CLUSTER
[ "$code" = 0 ] || exit "$code"
boots_again
echo "the cluster is started from $2:$3"
"""
)

# Undoes what STOP_IN_ORDER noted: the start at boot, and the background work.
GIVE_BACK = (
    _COMMON
    + r"""
[ -e "$note" ] || { echo "nothing is noted here"; exit 0; }
boots_again
for unit in $(noted units | tr , ' '); do
    systemctl start "$unit" || fail "$unit did not start"
    echo "background work goes on: $unit"
done
rm -f "$note"
"""
)
