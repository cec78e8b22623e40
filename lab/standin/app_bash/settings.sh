# Stand-in for the vendor's shell helpers; sourced by the scripts beside it and by the worker.
# The caller sets $env_file.

# env_value KEY: the key's value as Laravel reads it: quotes stripped, comment cut, the last line wins.
env_value() {
    awk -v key="$1" '
        {
            line = $0
            sub(/^[ \t]*(export[ \t]+)?/, "", line)
            if (index(line, key) != 1) next
            rest = substr(line, length(key) + 1)
            sub(/^[ \t]*/, "", rest)
            if (substr(rest, 1, 1) != "=") next
            rest = substr(rest, 2)
            sub(/^[ \t]*/, "", rest)
            quote = substr(rest, 1, 1)
            if (quote == "\"" || quote == "\047") {
                rest = substr(rest, 2)
                end = index(rest, quote)
                value = end ? substr(rest, 1, end - 1) : rest
            } else {
                sub(/(^|[ \t]+)#.*$/, "", rest)
                sub(/[ \t\r]+$/, "", rest)
                value = rest
            }
        }
        END { print value }' "$env_file"
}

# env_hosts KEY: the hosts of a comma-separated list, blanks between them.
env_hosts() {
    env_value "$1" | tr ',' ' ' | xargs
}

# address_of HOST: its IPv4 address; nothing when the name does not resolve.
address_of() {
    getent ahostsv4 "$1" | awk 'NR == 1 { print $1 }'
}

# is_own HOST: whether a name or an address means this machine.
is_own() {
    [ "$1" = "$(hostname)" ] && return 0
    own_try=$(address_of "$1")
    [ -n "$own_try" ] && ip -4 -o address show | awk '{ sub("/.*", "", $4); print $4 }' | grep -qxF "$own_try"
}

# own_host HOST...: the one of the list that is this machine.
own_host() {
    for own_candidate in "$@"; do
        if is_own "$own_candidate"; then
            echo "$own_candidate"
            return 0
        fi
    done
    return 1
}

say() {
    echo "[$(date '+%H:%M:%S')] $*"
}

fail() {
    echo "ERROR: $*" >&2
    exit 1
}

# begin SCRIPT "ACTION|ACTION" -a ACTION: what every script checks before it touches anything.
begin() {
    begin_script=$1 begin_actions=$2
    shift 2
    [ "$(id -u)" -eq 0 ] || fail "$begin_script must be run as root"
    [ "$#" -eq 2 ] && [ "$1" = "-a" ] || fail "usage: sh $begin_script -a $begin_actions"
    case "|$begin_actions|" in
        *"|$2|"*) action=$2 ;;
        *) fail "unknown action '$2'; known: $begin_actions" ;;
    esac
    [ -r "$env_file" ] || fail "$env_file is missing or cannot be read"
}

# wait_for SECONDS COMMAND...: ask once a second until the command agrees.
wait_for() {
    wait_left=$1
    shift
    until "$@"; do
        wait_left=$((wait_left - 1))
        [ "$wait_left" -gt 0 ] || return 1
        sleep 1
    done
}
