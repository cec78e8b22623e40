"""The questions of one beat, as one POSIX shell script per node.

Every part prints a header line, its own output and a line with its exit code, so that one part
that fails or hangs takes no other with it. Whatever can hang has a time limit of its own. Nothing
is written but one small file on the mounted storage directory, which is removed again, and notes
below /run. Nothing is left running, except on a mount that hangs: one process that cannot be killed.
"""

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

# Arguments: the application's directory, a token that the write test writes, and "sql" when the
# database was asked by its own protocol already.
BEAT = (
    PRELUDE
    + r"""
app=$1 token=$2 known=$3
datadir=/var/lib/mysql
if has my_print_defaults; then
    own=$(my_print_defaults --mysqld 2>/dev/null | sed -n 's/^--datadir=//p' | tail -n 1)
    [ -n "$own" ] && datadir=${own%/}
fi
backend=$(readlink -f "$app/backend" 2>/dev/null || echo "$app/backend")
storage=$backend/storage
# The table of mounts can be read whatever a mount does.
mount_entry() { awk -v dir="$storage" '$2 == dir { print $3, $1 }' /proc/self/mounts | tail -n 1; }
if [ -z "$(mount_entry)" ] && [ -L "$storage" ]; then
    link=$(readlink "$storage")
    case $link in /*) storage=${link%/} ;; *) storage=$backend/${link%/} ;; esac
fi

# Whoever touches a mount whose server hangs cannot even be killed. So it is touched in the
# background, the wait is short, and while one is stuck no other is sent after it.
touched=/run/clusterpanel
touch_storage() {
    [ -d "$storage" ] && echo exists
    df -P -B1 "$storage" 2>/dev/null | awk 'NR == 2 { print "free", $4, $2 }'
    case $(mount_entry) in fuse.glusterfs*) ;; *) echo 'said not mounted'; return ;; esac
    file=$storage/.clusterpanel-probe-$(hostname)-$token
    said=$( { echo "$token" >"$file" && cat "$file"; rm -f "$file"; } 2>&1)
    if [ "$said" = "$token" ]; then echo "said answers $token"; else echo "said $said"; fi
}
born() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }
stuck() {
    for note in "$touched"/stuck-*; do
        [ -f "$note" ] || continue
        read -r since at <"$note"
        if [ "$(born "${note##*-}")" != "$since" ]; then rm -f "$note"
        elif [ $(($(date +%s) - at)) -ge 3 ]; then return 0; fi
    done
    return 1
}
ask_storage() {
    mkdir -p -m 700 "$touched" 2>&1 || return
    if stuck; then echo 'said hangs since an earlier question'; return; fi
    answer=$touched/answer-$token
    ( touch_storage; echo end ) >"$answer" 2>/dev/null &
    asked=$!
    note=$touched/stuck-$asked
    echo "$(born $asked) $(date +%s)" >"$note"
    waited=0
    until grep -q '^end$' "$answer" || [ "$waited" -ge 20 ]; do sleep 0.1; waited=$((waited + 1)); done
    if grep -q '^end$' "$answer"; then rm -f "$note"; else echo 'said hangs'; fi
    cat "$answer"; rm -f "$answer"
}
about_storage=$(ask_storage)
told() { printf '%s\n' "$about_storage" | sed -n "s/^$1//p" | head -n 1; }

clock() { date +%s.%N; }
identity() {
    cat /proc/sys/kernel/random/boot_id
    hostname
    id -u
    hostname -I
}
units() {
    limit 2 systemctl show -p Id -p LoadState -p ActiveState -p UnitFileState \
        mariadb.service mariadb.socket glusterd.service
}
mysqld() { cat /proc/[0-9]*/comm 2>/dev/null | grep -c -x -E 'mariadbd|mysqld'; return 0; }
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
    for name in galera_setup.sh glusterfs_setup.sh; do
        if [ -r "$app/backend/app_bash/$name" ]; then echo "yes $name"; else echo "no $name"; fi
    done
}
mount_state() {
    echo "$storage"
    mount_entry
}
mount_exists() {
    case $about_storage in exists*|*'
exists'*) echo yes ;; esac
}
mount_answers() { told 'said '; }
free() {
    for path in "$datadir" /data* /var/lib/clusterpanel; do
        seen=$path
        while [ ! -e "$seen" ] && [ "$seen" != / ] && [ "$path" = /var/lib/clusterpanel ]; do
            seen=$(dirname "$seen")
        done
        line=$(limit 1 df -P -B1 "$seen" 2>/dev/null | awk 'NR == 2 { print $4, $2 }') || continue
        [ -n "$line" ] && echo "$line $path"
    done
    line=$(told 'free ')
    [ -n "$line" ] && echo "$line $storage"
    return 0
}
system() { cat /proc/uptime /proc/loadavg; grep -E '^(MemTotal|MemAvailable):' /proc/meminfo; }
marker() {
    limit 2 systemctl show-environment | grep -E '^_WSREP_NEW_CLUSTER=.'
    ls -d /run/*wsrep-new-cluster /run/*/wsrep-new-cluster 2>/dev/null
    return 0
}
grastate() {
    [ -d "$datadir" ] || { echo 'no data directory'; return 0; }
    [ -r "$datadir/grastate.dat" ] || { echo absent; return 0; }
    head -c 4096 "$datadir/grastate.dat"
}
traces() {
    [ -s "$datadir/gvwstate.dat" ] && echo gvwstate
    [ -e "$datadir/sst_in_progress" ] && echo sst_in_progress
    [ -e "$app/backend/bootstrap/cache/config.php" ] && echo config_cached
    echo "datadir $datadir"
}
versions() {
    for name in mariadbd mysqld; do
        has $name && { echo "mariadb $(limit 2 $name --version 2>/dev/null)"; break; }
    done
    has gluster && echo "gluster $(limit 2 gluster --version 2>/dev/null | head -n 1)"
    if has rpm; then
        echo 'rpm dpiui2'
        limit 2 rpm -q --qf 'dpiui2 %{VERSION}\n' dpiui2 2>/dev/null | grep '^dpiui2 '
    fi
    return 0
}

for name in clock identity units mysqld wsrep databases env_keys scripts mount_state mount_exists \
    mount_answers free system marker grastate traces versions; do
    [ "$name" = wsrep ] && [ "$known" = sql ] && continue
    part $name $name
done
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
