"""The questions of one beat, as one POSIX shell script per node.

Every part prints a header line, its own output and a line with its exit code, so that one part
that fails or hangs takes no other with it. Whatever can hang has a time limit. Nothing is written
but notes below /run and, when asked for, one small file on the mounted storage, which is removed
again. Nothing is left running, except on a mount that hangs: one process that cannot be killed.
"""

from __future__ import annotations

# Long because it is one script, which is read and changed as a whole.
MARK = "--clusterpanel--"

PRELUDE = f"""
export LC_ALL=C LANG=C PATH="$PATH:/usr/sbin:/sbin:/usr/local/sbin"
unset LANGUAGE
exec </dev/null
part() {{
    part_name=$1; shift
    printf '\\n{MARK} %s\\n' "$part_name"
    "$@" 2>&1
    printf '\\n{MARK} rc %s\\n' "$?"
}}
limit() {{ limit_s=$1; shift; timeout -k 1 "$limit_s" "$@"; }}
has() {{ command -v "$1" >/dev/null 2>&1; }}
"""

# Arguments: the application's directory; a token that the write test writes, or "" to look at the
# storage without writing; "sql" when the database was asked by its own protocol already; "all", or
# "quick" to leave out what hardly ever changes, or "quick marker" to ask of that the marker alone;
# the data directory if it is known; the address of dpiui2's page or ""; paths of bricks.
#
# It is asked every few seconds, so it starts few processes: what the shell can read by itself, it
# does. The storage is touched first and heard last, because that may take longest.
BEAT = (
    PRELUDE
    + r"""
app=$1 token=$2 known=$3 what=$4 datadir=$5 page_url=$6
shift 6
rare='marker databases versions page'
case $what in quick) rare= ;; 'quick marker') what=quick rare=marker ;; esac
if [ -z "$datadir" ]; then
    datadir=/var/lib/mysql
    if has my_print_defaults; then
        own=$(my_print_defaults --mysqld 2>/dev/null | sed -n 's/^--datadir=//p' | tail -n 1)
        [ -n "$own" ] && datadir=${own%/}
    fi
fi
backend=$app/backend
cd -P "$backend" 2>/dev/null && backend=$PWD && cd /
storage=$backend/storage
born() { # when process $1 began, as $since
    since=
    read -r line 2>/dev/null <"/proc/$1/stat" || return
    set -- ${line##*) }
    shift 19
    since=$1
}
# What is mounted as the storage, and what runs: one grep for both. (A shell's own `read` takes a byte
# at a time: for a long file that is slower than starting grep. The table of mounts can be read
# whatever a mount does.) Sets `mounted`; `processes`, names that matter; `servers`, how many database
# servers; `alive`, which of them and which glusterd, since when, or "" unless both are there.
look_around() {
    mounted= processes= servers=0 server= storage_daemon=
    while read -r first dir type rest; do
        case $first in
            /proc/self/mounts:*)
                [ "$dir" != "$storage" ] || mounted="$type ${first#*:}"
                continue ;;
        esac
        pid=${first%/comm:*} pid=${pid##*/} name=${first##*:}
        processes="$processes $name"
        case $name in
            mariadbd|mysqld) servers=$((servers + 1)); born "$pid"; server=${since:+$pid:$since} ;;
            glusterd) born "$pid"; storage_daemon=${since:+$pid:$since} ;;
        esac
    done <<END
$(grep -H -F -e " $storage " -e mariadbd -e mysqld -e glusterd -e rsync -e backup -e dump \
    /proc/self/mounts /proc/[0-9]*/comm 2>/dev/null)
END
    alive=${server:+${storage_daemon:+$server $storage_daemon}}
}
look_around
if [ -z "$mounted" ] && [ -L "$storage" ]; then
    link=$(readlink "$storage")
    case $link in /*) storage=${link%/} ;; *) storage=$backend/${link%/} ;; esac
    look_around
fi
read -r up up_rest </proc/uptime
up=${up%%.*}

# Whoever touches a mount whose server hangs cannot even be killed. So it is touched in the
# background, the wait is short, and while one is stuck no other is sent after it.
touched=/run/clusterpanel
# What df says of the local places $@, of which the last is the one near our own folder, and then of
# the storage, as it is told.
measured() {
    space=
    read -r title
    while read -r device size used left rest; do
        case $# in
            0) space="$left $size"; echo "free $space" ;;
            1) echo "disk $left $size /var/lib/clusterpanel"; shift ;;
            *) echo "disk $left $size $1"; shift ;;
        esac
    done
}
# The local places $@ are measured with it, because a process costs more than what it does here.
touch_storage() {
    [ -d "$storage" ] && echo exists
    # When one of them fails, the rows no longer tell whose they are.
    rows=$(df -P -B1 "$@" "$storage" 2>/dev/null) ||
        { set --; rows=$(df -P -B1 "$storage" 2>/dev/null); }
    measured "$@" <<END
$rows
END
    case $mounted in fuse.glusterfs*) ;; *) echo 'said not mounted'; return ;; esac
    if [ -z "$token" ]; then
        if [ -n "$space" ]; then echo 'said reads'; else echo "said $(df -P "$storage" 2>&1)"; fi
        return
    fi
    file=$storage/.clusterpanel-probe-$token
    printf 'said '
    { echo "$token" >"$file" && read -r back <"$file" && echo "answers $back"; } 2>&1 || echo
    rm -f "$file"
}
stuck() {
    for old in "$touched"/stuck-*; do
        [ -f "$old" ] || continue
        read -r noted at <"$old"
        born "${old##*-}"
        if [ "$since" != "$noted" ]; then rm -f "$old"
        elif [ $((up - at)) -ge 3 ]; then return 0; fi
    done
    return 1
}
given=$#
for path in "$@" "$datadir" /data*; do
    [ -e "$path" ] && set -- "$@" "$path"
done
shift "$given"
near=/var/lib/clusterpanel # or the nearest folder above it that is there
until [ -e "$near" ]; do near=${near%/*}; near=${near:-/}; done
set -- "$@" "$near"
[ -d "$touched" ] || mkdir -p -m 700 "$touched"
answer= note= stamps=
if [ -d "$touched" ] && ! stuck; then
    answer=$touched/answer-${token:-$$}
    trap 'rm -f "$answer"' EXIT
    trap 'exit 1' HUP INT TERM PIPE # also when nobody listens any more
    ( touch_storage "$@"; echo end ) >"$answer" 2>/dev/null &
    asked=$!
    note=$touched/stuck-$asked
    born "$asked"
    echo "$since $up" >"$note"
fi
# What was told so far; true when it is all.
heard() {
    ended= exists= space= said= disks=
    while read -r key rest; do
        case $key in
            exists) exists=yes ;;
            disk) disks="$disks$rest
" ;;
            free) space=$rest ;;
            said) said=$rest ;;
            end) ended=yes ;;
        esac
    done <"$answer"
    [ -n "$ended" ]
}
hear_storage() {
    exists= space= disks=
    [ -d "$touched" ] || { said='no place for notes'; return; }
    [ -n "$answer" ] || { said='hangs since an earlier question'; return; }
    waited=0 pause=0.005
    until heard || [ "$waited" -ge 40 ]; do
        sleep "$pause"
        case $pause in 0.005) pause=0.01 ;; 0.01) pause=0.02 ;; *) pause=0.05 waited=$((waited + 1)) ;; esac
    done
    [ -n "$ended" ] || { said=hangs note=; }
    rm -f "$answer" ${note:+"$note"}
    trap - EXIT
}

# What costs much is kept, and told again while a cheap sign says that it is the same: `recall NAME
# SIGN` sets `recalled` to it, or to "". It is found anew with each write to the storage, and before
# anything is decided. (The last line tells a whole note from one that is just being written.)
recall() {
    recalled=
    [ -z "$rare$token" ] && [ -n "$2" ] || return 0
    {
        IFS= read -r kept_for && [ "$kept_for" = "$2" ] || return 0
        while IFS= read -r line; do
            [ "$line" != "$2" ] || return 0
            recalled="${recalled:+$recalled
}$line"
        done
    } 2>/dev/null <"$touched/$1"
    recalled=
}
keep() { [ -z "$2" ] || printf '%s\n' "$2" "$3" "$2" >"$touched/$1"; } 2>/dev/null

# One process tells the time, by the note that was just written (to a few milliseconds), and of when
# .env is: its last change of content or of owner, a time that no writer can set back.
[ -z "$note" ] || stamps=$(stat -L -c '%.9Y %Y %i %s %z' "$note" "$app/backend/.env" 2>/dev/null)
clock() { if [ -n "$stamps" ]; then echo "${stamps%% *}"; else clock_end; fi; }
clock_end() { date +%s.%N; }
identity() {
    read -r boot_id </proc/sys/kernel/random/boot_id && echo "$boot_id"
    [ "$what" = quick ] && return
    hostname
    id -u
    hostname -I
}
# Whether a unit is installed and starts at boot hardly changes, and costs systemd twice as much.
units() {
    # While the same two processes are alive, their units are as they were.
    recall units "$alive"
    states=${recalled:-$(limit 2 systemctl is-active mariadb.service mariadb.socket glusterd.service)}
    if [ "$what" = quick ]; then
        set -- $states
        [ $# -eq 3 ] || { echo "$states"; return 1; }
        printf 'Id=%s\nActiveState=%s\n' mariadb.service "$1" mariadb.socket "$2" glusterd.service "$3"
        case $1:$3 in active:active) keep units "$alive" "$*" ;; esac
        return
    fi
    limit 2 systemctl show -p Id -p LoadState -p ActiveState -p UnitFileState \
        mariadb.service mariadb.socket glusterd.service
}
mysqld() { echo "$servers"; }
client() {
    # What the client would say, without starting it; only where systemd agrees that nobody runs.
    case $servers:$states in
        0:inactive* | 0:failed* | 0:activating* | 0:deactivating*)
            echo 'ERROR 2002: no process of a database server is here'
            return 1 ;;
    esac
    if has mariadb; then limit 2 mariadb -N -B --connect-timeout=2 -e "$1"
    elif has mysql; then limit 2 mysql -N -B --connect-timeout=2 -e "$1"
    else echo 'not installed'; return 127; fi
}
wsrep() {
    client "SHOW GLOBAL VARIABLES WHERE Variable_name IN
        ('wsrep_on','wsrep_desync','wsrep_reject_queries','read_only','wsrep_cluster_address');
        SHOW GLOBAL STATUS LIKE 'wsrep\\_%'"
}
databases() {
    client "SELECT s.schema_name, COUNT(t.table_name) FROM information_schema.schemata s
        LEFT JOIN information_schema.tables t ON t.table_schema = s.schema_name
        GROUP BY s.schema_name"
}
env_keys() {
    file=$app/backend/.env
    [ -e "$file" ] || { echo absent; return 0; }
    sign=${stamps#*
}
    [ "$sign" != "$stamps" ] || sign=$(stat -L -c '- %Y %i %s %z' "$file")
    sign=${sign#* }
    recall env "$sign"
    [ -n "$recalled" ] || {
        hash=$(sha256sum <"$file") || return 1
        recalled="$hash
mtime ${sign%% *}
$(grep -a -n -E '(GALERA_PEER_HOSTS|CLUSTER_FS_PEER_HOSTS|CLUSTER_PRIMARY_HOST)' "$file" | tr -d '\0')"
        keep env "$sign" "$recalled"
    }
    printf '%s\n' "$recalled"
}
scripts() {
    for script in galera_setup.sh glusterfs_setup.sh; do
        if [ -r "$app/backend/app_bash/$script" ]; then echo "yes $script"; else echo "no $script"; fi
    done
}
mount_state() {
    echo "$storage"
    [ -z "$mounted" ] || echo "$mounted"
}
mount_exists() { [ -z "$exists" ] || echo yes; }
mount_answers() { echo "$said"; }
free() {
    if [ -n "$disks" ]; then printf '%s' "$disks"
    else limit 2 df -P -B1 "$@" 2>/dev/null | measured "$@" | sed 's/^disk //'; fi
    [ -z "$space" ] || echo "$space $storage"
}
system() {
    read -r line </proc/uptime && echo "$line"
    read -r line </proc/loadavg && echo "$line"
    while read -r line; do
        case $line in MemTotal:*) echo "$line" ;; MemAvailable:*) echo "$line"; break ;; esac
    done </proc/meminfo
}
marker() {
    limit 2 systemctl show-environment | grep -E '^_WSREP_NEW_CLUSTER=.'
    for left in /run/*wsrep-new-cluster /run/*/wsrep-new-cluster; do
        [ -e "$left" ] && echo "$left"
    done
    return 0
}
grastate() {
    [ -d "$datadir" ] || { echo 'no data directory'; return 0; }
    [ -r "$datadir/grastate.dat" ] || { echo absent; return 0; }
    lines=0
    while { read -r line || [ -n "$line" ]; } && [ "$lines" -lt 50 ]; do
        printf '%s\n' "$line"
        lines=$((lines + 1))
    done <"$datadir/grastate.dat"
}
traces() {
    [ -s "$datadir/gvwstate.dat" ] && echo gvwstate
    [ -e "$datadir/sst_in_progress" ] && echo sst_in_progress
    cached=$app/backend/bootstrap/cache/config.php
    [ -e "$cached" ] && echo config_cached
    [ "$cached" -ot "$app/backend/.env" ] && [ -e "$cached" ] && echo config_older
    echo "datadir $datadir"
    { read -r line </var/lib/clusterpanel/stop-order && echo "stopped $line"; } 2>/dev/null
    return 0
}
# The script of a transfer runs as "bash"; what it starts, and a server that is not ready yet, tell
# that it is worth looking. (Written so that a search for it does not find this script itself.)
transfer() {
    case "$states $processes" in
        activating*|*rsync*|*backup*|*dump*) ;;
        *) [ -e "$datadir/sst_in_progress" ] || return 0 ;;
    esac
    moving=
    [ -e "$datadir/sst_in_progress" ] && moving=yes && echo marked
    for process in $(grep -a -l -E 'wsrep_(ss[t]_|start_positio[n]=)' /proc/[0-9]*/cmdline 2>/dev/null); do
        line=$(tr '\0' ' ' 2>/dev/null <"$process") || continue
        case $line in
            *wsrep_ss[t]_*) moving=yes; echo "script $line" ;;
            *) echo "server $line" ;;
        esac
    done
    [ -n "$moving" ] || return 0
    # A joiner's rsync writes over the files that are there: their size says nothing before the end.
    written=0
    [ ! -e "$datadir/sst_in_progress" ] || for process in $(grep -l -x -E \
        'rsync|mbstream|xbstream|mariabackup|mariadb-backup|xtrabackup' /proc/[0-9]*/comm 2>/dev/null); do
        while read -r key count; do
            [ "$key" != wchar: ] || written=$((written + count))
        done 2>/dev/null <"${process%comm}io"
    done
    [ "$written" = 0 ] || { echo "bytes $written"; return 0; }
    # Without the ring of write sets, which every server has for itself and in its full size.
    size=$(limit 2 du -sb --exclude=galera.cache "$datadir" 2>/dev/null) && echo "bytes ${size%%[!0-9]*}"
    return 0
}
versions() {
    for server in mariadbd mysqld; do
        has $server && { echo "mariadb $(limit 2 $server --version 2>/dev/null)"; break; }
    done
    has gluster && echo "gluster $(limit 2 gluster --version 2>/dev/null | head -n 1)"
    if has rpm; then
        echo 'rpm dpiui2'
        limit 2 rpm -q --qf 'dpiui2 %{VERSION}\n' dpiui2 2>/dev/null | grep '^dpiui2 '
    fi
    return 0
}
page() {
    [ -n "$page_url" ] || return 0
    has curl || { echo 'curl is not installed'; return 127; }
    echo "$page_url"
    curl -k -s -S -o /dev/null --noproxy '*' -m 3 -w '%{http_code}\n' "$page_url"
    return 0
}

everything() {
    questions='clock identity units mysqld env_keys scripts system grastate traces transfer'
    [ "$known" = sql ] || questions="$questions wsrep"
    for question in $questions $rare; do part $question $question; done
    hear_storage
    for question in mount_state mount_exists mount_answers; do part $question $question; done
    part free free "$@"
    [ "$what" = quick ] || part clock_end clock_end # a short question needs one reading only
}
# Told at once: every little write would be a packet of its own, which the panel has to decrypt.
told=$(everything "$@") && trap - EXIT
printf '%s\n' "$told"
"""
)
