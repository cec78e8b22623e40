# What there is of one run of a panel on this node. SIGNS busy JOB | none | held SECONDS LIMIT BEAT
set -u
export LC_ALL=C
nonce=$1 root=$2 spare=$3 panel=$4 run=$5
lock=$root/lock

answer() {
    printf '%sSIGNS %s\n' "$nonce" "$*"
    exit 0
}

for dir in "$root"/jobs/"$run"-*/; do
    dir=${dir%/}
    [ -d "$dir" ] && [ ! -e "$dir/rc" ] || continue
    job=${dir##*/}
    look
    # Just claimed: somebody is starting it in this moment.
    if [ -z "$alive" ] && [ -n "$(find "$dir" -maxdepth 0 -mmin -1 2> /dev/null)" ]; then alive=yes; fi
    [ "$alive" != yes ] || answer busy "$job"
done
read_owner "$lock"
ours || answer none
limit=''
{ read -r limit < "$lock/limit"; } 2> /dev/null || limit=''
case $limit in *[!0-9]*) limit='' ;; esac
read_beat "$lock"
silence
answer held "$silent" "${limit:--}" "$beat"
