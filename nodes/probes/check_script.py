"""The questions that only the checks ask: ports, names, firewall, other jobs."""

from __future__ import annotations

from nodes.probes.script import PRELUDE

# Galera, its two transfers, glusterd, and the first port of the range that bricks use.
PORTS = (3306, 4444, 4567, 4568, 24007, 49152)
PORT_LIMIT_S = 2

# Arguments: the other hosts, "--", every host. Ports are tried all at once, so that a row of the
# table takes as long as its slowest answer, two seconds.
CHECK = (
    PRELUDE
    + rf"""
try_port() {{
    said=$(limit {PORT_LIMIT_S} bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" 2>&1)
    code=$?
    printf '%s %s %s %s\n' "$1" "$2" "$code" "$(printf '%s' "$said" | tail -n 1 | cut -c 1-200)"
}}
ports() {{
    has bash || {{ echo 'no bash'; return 127; }}
    for host in $others; do
        for port in {" ".join(map(str, PORTS))}; do try_port "$host" "$port" & done
    done
    wait
}}
"""
    + r"""
listening() {
    if has ss; then ss -ltnH | awk '{ print $4 }'; else return 127; fi
}
names() {
    for host in $all; do
        ( printf '%s %s\n' "$host" \
            "$(limit 2 getent ahosts "$host" | awk 'NR == 1 { print $1 }')" ) &
    done
    wait
}
firewall() {
    if has getenforce; then echo "selinux $(getenforce)"; else echo 'selinux absent'; fi
    state=$(systemctl is-active firewalld 2>/dev/null); echo "firewalld ${state:-unknown}"
    has ufw && echo "ufw $(limit 2 ufw status 2>/dev/null | sed -n 's/^Status: //p')"
    if has nft; then
        echo "nft $(limit 2 nft list ruleset 2>/dev/null | grep -c -E '^[[:space:]]+.*(drop|reject)')"
    fi
    return 0
}
jobs() {
    for lock in /var/lib/clusterpanel/lock /var/lib/clusterpanel/lock/*; do
        [ -f "$lock" ] && { printf 'lock %s ' "${lock##*/}"; head -c 300 "$lock" | tr '\n' ' '; echo; }
    done
    for job in /var/lib/clusterpanel/jobs/*; do
        [ -f "$job/pid" ] && [ ! -e "$job/rc" ] || continue
        pid=$(cat "$job/pid")
        [ -d "/proc/$pid" ] && echo "job ${job##*/}"
    done
    for process in /proc/[0-9]*; do
        { tr '\0' '\n' <"$process/cmdline"; } 2>/dev/null |
            grep -q -E '/app_bash/[a-z]+_setup\.sh$' && echo "script ${process##*/}"
    done
    return 0
}

others= all=
while [ "$1" != -- ]; do others="$others $1"; shift; done
shift
all=$*
for name in listening names firewall jobs ports; do part $name $name; done
"""
)
