"""The shell of a recovery: POSIX sh. A start waits a short while at most; what came of it is left to a
proof.

Nothing here decides: a script refuses by itself what the plan has ruled out, so that a step which
runs late does no harm.
"""

from nodes.domain.traces import DATADIR, FOLDER, KEPT, MARK_OF_DATA

WAIT_S = 20  # a longer start copies all data: then the proof waits, and tells how far it is

# $1: the data directory, "" when it is not known.
_COMMON = (
    "export LC_ALL=C\ndatadir=$1\n"
    + DATADIR
    + MARK_OF_DATA
    + rf"""
folder={FOLDER}
fail() {{ echo "ERROR: $*" >&2; exit 1; }}
processes() {{ cat /proc/[0-9]*/comm 2>/dev/null | grep -c -x -E 'mariadbd|mysqld'; }}
unit() {{ systemctl show -p ActiveState mariadb.service | sed 's/^ActiveState=//'; }}
stopped() {{ [ "$(processes)" = 0 ] && case $(unit) in inactive | failed) ;; *) false ;; esac; }}
# Onto the disk: these, and not whatever else the server has to write. An old `sync` takes no names.
to_disk() {{ sync "$@" 2>/dev/null || sync; }}
# Whatever would make the next start begin a cluster of its own.
clear_marker() {{
    if systemctl show-environment | grep -q '^_WSREP_NEW_CLUSTER=.'; then
        echo "a bootstrap marker was set in systemd; it is taken away"
    fi
    systemctl unset-environment _WSREP_NEW_CLUSTER
    for left in /run/*wsrep-new-cluster /run/*/wsrep-new-cluster; do
        [ ! -e "$left" ] || {{ rm -f "$left" && echo "a bootstrap marker was left here; it is taken away"; }}
    done
    ! my_print_defaults --mysqld 2>/dev/null | grep -q -E '^--wsrep[-_]new[-_]cluster' ||
        fail "wsrep-new-cluster stands in a file of settings: take it out first"
}}
free_port() {{
    ! systemctl is-active -q mariadb.socket || {{ systemctl stop mariadb.socket && echo "mariadb.socket is stopped"; }}
}}
order() {{
    free_port
    systemctl reset-failed mariadb 2>/dev/null
    echo "mariadb is being started"
}}
not_taken() {{ fail "systemd did not take the order to start mariadb"; }}
start() {{ order && {{ systemctl --no-block start mariadb || not_taken; }}; }}
# systemd's word costs the server nothing, while SQL that is asked again and again slows the start down.
# The start goes on when the wait is over, and while somebody cancels.
start_and_wait() {{
    order
    timeout {WAIT_S} systemctl start mariadb
    case $?:$(unit) in 0:* | 124:* | *:active | *:activating | *:failed) ;; *) not_taken ;; esac
}}
"""
)

# Stops what only tries to start. One that answers SQL is stopped in order, however long it takes;
# one that never saw a Primary component hears no SIGTERM and has nothing to write down.
STOP = (
    _COMMON
    + r"""
said=$("$(command -v mariadb || command -v mysql || echo mariadb)" --connect-timeout=3 -Ne 'SELECT 1' 2>&1 </dev/null)
case $said in
    1 | *'ERROR 1047'*) patience=1800 ;;
    *'ERROR 2002'*) patience=15 ;;
    *) stopped || fail "the database runs and cannot be asked ($said): look at it by hand" ;;
esac
ends_within() {
    waited=0
    until stopped; do
        [ "$waited" -lt $(($1 * 5)) ] || return 1
        sleep 0.2
        waited=$((waited + 1))
    done
}
free_port
systemctl --no-block stop mariadb
ends_within "$patience" || {
    echo "it looks for a Primary component and does not hear; it is killed: it has nothing to write down"
    systemctl kill -s KILL mariadb
    ends_within 60 || fail "mariadb does not end"
}
systemctl reset-failed mariadb 2>/dev/null
echo "mariadb is stopped"
"""
)

# Copies the state files aside, then reads how far the data is and keeps that with the mark of the
# files, so that it counts only while nothing is started.
TAKE_POSITION = (
    _COMMON
    + rf"""
stopped || fail "mariadb is not stopped here"
clear_marker
mkdir -p -m 700 "$folder" || exit 1
copies=$folder/$(date -u +%Y%m%dT%H%M%SZ)
mkdir -p "$copies" || exit 1
for file in grastate.dat gvwstate.dat; do
    [ ! -e "$datadir/$file" ] || cp -p "$datadir/$file" "$copies/" || exit 1
done
if [ -e "$datadir/gvwstate.dat" ] && ! grep -q '^my_uuid:' "$datadir/gvwstate.dat"; then
    rm -f "$datadir/gvwstate.dat"
    echo "gvwstate.dat is empty, mariadb would not start with it; it is removed, $copies has it"
fi
value() {{ sed -n "s/^$1:[[:space:]]*//p" "$datadir/grastate.dat" 2>/dev/null | tail -n 1 | tr -d '\r'; }}
recover() {{
    if command -v galera_recovery >/dev/null 2>&1; then galera_recovery
    else
        log=$(mktemp) && chmod 666 "$log"
        "$(command -v mariadbd || command -v mysqld)" --user=mysql --wsrep-recover --log-error="$log"
        recover_code=$?
        cat "$log"
        rm -f "$log"
        return "$recover_code"
    fi
}}
found=nothing position= words=
if [ -e "$datadir/ibdata1" ] || [ -e "$datadir/grastate.dat" ]; then
    words=$(recover 2>&1 </dev/null)
    code=$?
    printf '%s\n' "$words"
    position=$(printf '%s\n' "$words" |
        sed -n -E 's/.*(wsrep_start_position=|Recovered position:? ?)([0-9a-fA-F-]{{36}}:-?[0-9]+).*/\2/p' | tail -n 1)
    case $position in
        '') found=failed ;;
        00000000-0000-0000-0000-000000000000:* | *:-*) found=nothing ;;
        *) found=read ;;
    esac
    [ "$code" = 0 ] || found=failed
    case $words in *'prepared transaction'*) found=prepared ;; esac
    # The data of a server that took no transaction since it joined names no position; a clean stop
    # wrote one down.
    number=$(value seqno)
    if [ "$found" = nothing ] && [ "${{number:--1}}" -ge 0 ]; then
        found=read position=$(value uuid):$number
    fi
fi
{{
    echo "mark=$(mark)"
    echo "at=$(date +%s)"
    echo "found=$found"
    echo "position=$position"
    echo "said=$(printf '%s\n' "$words" | tail -n 1 | cut -c 1-300)"
    echo "copies=$copies"
}} >"{KEPT}.new" && mv -f "{KEPT}.new" "{KEPT}" || fail "the position cannot be written to {KEPT}"
to_disk "$copies"/* "$copies" "{KEPT}" "$folder"
echo "position: $found $position"
"""
)

# $2: UUID, $3: number, $4: the mark that the files had when they were read.
BOOTSTRAP = (
    _COMMON
    + r"""
stopped || fail "mariadb runs or starts here already"
[ "$(mark)" = "$4" ] || fail "something was started or changed here since the position was read"
clear_marker
free_port
file=$datadir/grastate.dat
if grep -q '^safe_to_bootstrap:[[:space:]]*0' "$file"; then
    cp -p "$file" "$file.new" &&
        sed 's/^safe_to_bootstrap:.*/safe_to_bootstrap: 1/' "$file" >"$file.new" &&
        mv -f "$file.new" "$file" || fail "safe_to_bootstrap cannot be written to $file"
    echo "safe_to_bootstrap is set to 1: it holds the highest position, $2:$3"
fi
to_disk "$file" "$datadir"
systemctl reset-failed mariadb 2>/dev/null
galera_new_cluster
code=$?
clear_marker
[ "$code" = 0 ] || journalctl -u mariadb -n 30 --no-pager 2>/dev/null
echo "galera_new_cluster ended with exit code $code"
exit "$code"
"""
)

FORCE_PRIMARY = r"""
export LC_ALL=C
client=$(command -v mariadb || command -v mysql) || { echo "no mariadb client" >&2; exit 127; }
"$client" --connect-timeout=10 -Ne "SET GLOBAL wsrep_provider_options='pc.bootstrap=YES'" &&
    echo "this component is told to be Primary"
"""

# A gvwstate.dat of its own would let a joiner be Primary by itself where it does not hear the others.
JOIN = (
    _COMMON
    + r"""
if ! stopped; then echo "mariadb runs or starts already"; exit 0; fi
clear_marker
mkdir -p -m 700 "$folder"
[ ! -e "$datadir/gvwstate.dat" ] || {
    mv -f "$datadir/gvwstate.dat" "$folder/gvwstate.dat" &&
        echo "gvwstate.dat is set aside in $folder: it joins, it does not form the old component again"
}
start_and_wait
"""
)

TOGETHER = (
    _COMMON
    + r"""
if ! stopped; then echo "mariadb runs or starts already"; exit 0; fi
clear_marker
start
"""
)

# $2: where to. Nothing runs here, so the files stand still.
COPY = (
    _COMMON
    + r"""
stopped || fail "mariadb is not stopped here"
mkdir -p -m 700 "${2%/*}" || exit 1
rm -rf "$2"
needed=$(du -sk "$datadir" | cut -f 1)
free=$(df -P -k "${2%/*}" | tail -n 1 | awk '{print $4}')
[ "$free" -gt "$needed" ] || fail "$needed KiB are needed, $free KiB are free"
cp -a "$datadir" "$2" && sync && echo "copied to $2"
"""
)
