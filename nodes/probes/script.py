"""The questions of one beat, as one POSIX shell script per node.

Every part prints a header line, its own output and a line with its exit code, so that one part
that fails or hangs takes no other with it. Whatever can hang has a time limit. Nothing is written
but one small file on the mounted storage, which is removed again, and notes below /run. Nothing is
left running, except on a mount that hangs: one process that cannot be killed.
"""

# Long because one beat is one script: what it asks stands in one place.
from __future__ import annotations

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

# Arguments: the application's directory; a token that the write test writes; "sql" when the database
# was asked by its own protocol already; "all", or "quick" to leave out what hardly ever changes;
# the data directory if it is known; the address of dpiui2's page or ""; paths of bricks.
#
# It is asked every few seconds, so it starts few processes: what the shell can read by itself, it
# does. The storage is touched first and heard last, because that may take longest.
BEAT = (
    PRELUDE
    + r"""
app=$1 token=$2 known=$3 what=$4 datadir=$5 page_url=$6
shift 6
if [ -z "$datadir" ]; then
    datadir=/var/lib/mysql
    if has my_print_defaults; then
        own=$(my_print_defaults --mysqld 2>/dev/null | sed -n 's/^--datadir=//p' | tail -n 1)
        [ -n "$own" ] && datadir=${own%/}
    fi
fi
backend=$(cd -P "$app/backend" 2>/dev/null && pwd || echo "$app/backend")
storage=$backend/storage
# The table of mounts can be read whatever a mount does. (A shell's own `read` takes a byte at a
# time: for a long file that is slower than starting grep.)
find_mount() {
    mounted=$(grep -F " $storage " /proc/self/mounts | {
        found=
        while read -r device dir type rest; do
            [ "$dir" = "$storage" ] && found="$type $device"
        done
        echo "$found"
    })
}
find_mount
if [ -z "$mounted" ] && [ -L "$storage" ]; then
    link=$(readlink "$storage")
    case $link in /*) storage=${link%/} ;; *) storage=$backend/${link%/} ;; esac
    find_mount
fi
seconds_up() { read -r up_seconds up_rest </proc/uptime; echo "${up_seconds%%.*}"; }

# Whoever touches a mount whose server hangs cannot even be killed. So it is touched in the
# background, the wait is short, and while one is stuck no other is sent after it.
touched=/run/clusterpanel
touch_storage() {
    [ -d "$storage" ] && echo exists
    df -P -B1 "$storage" 2>/dev/null | {
        read -r title
        read -r device size used left rest && echo "free $left $size"
    }
    case $mounted in fuse.glusterfs*) ;; *) echo 'said not mounted'; return ;; esac
    file=$storage/.clusterpanel-probe-$token
    said=$( { echo "$token" >"$file" && read -r back <"$file" && echo "$back"; rm -f "$file"; } 2>&1)
    if [ "$said" = "$token" ]; then echo "said answers $token"; else echo "said $said"; fi
}
born() {
    read -r born_line 2>/dev/null <"/proc/$1/stat" || return
    set -- ${born_line##*) }
    shift 19
    echo "$1"
}
stuck() {
    for note in "$touched"/stuck-*; do
        [ -f "$note" ] || continue
        read -r since at <"$note"
        if [ "$(born "${note##*-}")" != "$since" ]; then rm -f "$note"
        elif [ $(($(seconds_up) - at)) -ge 3 ]; then return 0; fi
    done
    return 1
}
[ -d "$touched" ] || mkdir -p -m 700 "$touched"
answer=
if [ -d "$touched" ] && ! stuck; then
    answer=$touched/answer-$token
    trap 'rm -f "$answer"' EXIT
    trap 'exit 1' HUP INT TERM PIPE # also when nobody listens any more
    ( touch_storage; echo end ) >"$answer" 2>/dev/null &
    asked=$!
    note=$touched/stuck-$asked
    echo "$(born $asked) $(seconds_up)" >"$note"
fi
has_ended() {
    told_last=
    while read -r told_line; do told_last=$told_line; done <"$answer"
    [ "$told_last" = end ]
}
hear_storage() {
    [ -d "$touched" ] || { echo 'said no place for notes'; return; }
    [ -n "$answer" ] || { echo 'said hangs since an earlier question'; return; }
    waited=0
    until has_ended || [ "$waited" -ge 40 ]; do sleep 0.05; waited=$((waited + 1)); done
    if has_ended; then rm -f "$note"; else echo 'said hangs'; fi
    while read -r told_line; do printf '%s\n' "$told_line"; done <"$answer"
    rm -f "$answer"
}
told() {
    printf '%s\n' "$about_storage" | while read -r told_key told_rest; do
        [ "$told_key" = "$1" ] && { printf '%s\n' "$told_rest"; break; }
    done
}

clock() { date +%s.%N; }
identity() {
    read -r boot_id </proc/sys/kernel/random/boot_id && echo "$boot_id"
    [ "$what" = quick ] && return
    hostname
    id -u
    hostname -I
}
units() {
    limit 2 systemctl show -p Id -p LoadState -p ActiveState -p UnitFileState \
        mariadb.service mariadb.socket glusterd.service
}
processes=$(cat /proc/[0-9]*/comm 2>/dev/null)
mysqld() {
    servers=0
    set -f
    for process in $processes; do
        case $process in mariadbd|mysqld) servers=$((servers + 1)) ;; esac
    done
    set +f
    echo "$servers"
}
client() {
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
    sha256sum <"$file" || return 1
    grep -a -n -E '(GALERA_PEER_HOSTS|CLUSTER_FS_PEER_HOSTS|CLUSTER_PRIMARY_HOST)' "$file"
    return 0
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
mount_exists() {
    case $about_storage in exists*|*'
exists'*) echo yes ;; esac
}
mount_answers() { told said; }
free() {
    seen=/var/lib/clusterpanel
    until [ -e "$seen" ]; do seen=${seen%/*}; seen=${seen:-/}; done
    for path in "$datadir" /data*; do
        [ -e "$path" ] && set -- "$@" "$path"
    done
    limit 2 df -P -B1 "$@" "$seen" 2>/dev/null | {
        read -r title
        for path in "$@" /var/lib/clusterpanel; do
            read -r device size used left rest || break
            echo "$left $size $path"
        done
    }
    line=$(told free)
    [ -n "$line" ] && echo "$line $storage"
    return 0
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
    [ -e "$app/backend/bootstrap/cache/config.php" ] && echo config_cached
    echo "datadir $datadir"
    { read -r line </var/lib/clusterpanel/stop-order && echo "stopped $line"; } 2>/dev/null
    return 0
}
transfer() {
    case $processes in *wsrep_sst_*) ;; *) [ -e "$datadir/sst_in_progress" ] || return 0 ;; esac
    [ -e "$datadir/sst_in_progress" ] && echo marked
    for process in $(grep -a -l wsrep_sst_ /proc/[0-9]*/cmdline 2>/dev/null); do
        printf 'script '
        tr '\0' ' ' <"$process"
        echo
    done
    size=$(limit 2 du -sb "$datadir" 2>/dev/null) && echo "bytes ${size%%[!0-9]*}"
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

questions='clock identity units mysqld env_keys scripts system marker grastate traces transfer'
[ "$known" = sql ] || questions="$questions wsrep"
[ "$what" = quick ] || questions="$questions databases versions page"
for question in $questions; do part $question $question; done
about_storage=$(hear_storage)
for question in mount_state mount_exists mount_answers; do part $question $question; done
part free free "$@"
part clock_end clock
"""
)

# What glusterd knows by itself: asks no other server and takes no lock of the pool.
GLUSTER_OWN = (
    PRELUDE
    + r"""
own() {
    has gluster || { echo 'not installed'; return 0; }
    ls -A /var/lib/glusterd/peers /var/lib/glusterd/vols 2>/dev/null
    return 0
}
peers() { has gluster && limit 2 gluster --xml --mode=script peer status; }
volumes() { has gluster && limit 2 gluster --xml --mode=script volume info; }
part own own
part peers peers
part volumes volumes
"""
)

# Takes locks that the whole pool shares. Arguments: "heal" or "", then the volumes' names.
GLUSTER_POOL = (
    PRELUDE
    + r"""
heal=$1; shift
status() { limit 3 gluster --xml --mode=script volume status "$1"; }
healing() { limit 3 gluster --xml --mode=script volume heal "$1" info summary; }
for volume in "$@"; do
    part "status $volume" status "$volume"
    [ "$heal" = heal ] && part "heal $volume" healing "$volume"
done
exit 0
"""
)
