# Tells who holds this node and what is at work on it; touches nothing.
# OWNER RUN SINCE SECONDS, then PANEL and USER; JOB NAME, then COMMAND, and LINE for each of its last lines.
set -u
export LC_ALL=C
nonce=$1 root=$2 spare=$3
lock=$root/lock

told() { printf '%s%s\n' "$nonce" "$*"; }

if [ -d "$lock" ]; then
    read_owner "$lock"
    since='' by=''
    { read -r since < "$lock/since"; } 2> /dev/null || since=''
    { read -r by < "$lock/user"; } 2> /dev/null || by=''
    read_beat "$lock"
    silence
    told OWNER "${holds:--}" "${since:--}" "$silent"
    told PANEL "$holder"
    told USER "$by"
fi
for dir in "$root"/jobs/*/; do
    dir=${dir%/}
    [ -d "$dir" ] && [ ! -e "$dir/rc" ] || continue
    look
    [ "$alive" = yes ] || continue
    told JOB "${dir##*/}"
    told COMMAND "$(head -n 1 "$dir/command" 2> /dev/null | cut -c 1-200)"
    tail -c 4000 "$dir/log" 2> /dev/null | tail -n 5 | tr -d '\000' | while IFS= read -r line || [ -n "$line" ]; do
        told LINE "$line"
    done
done
told END
