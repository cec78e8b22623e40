# Whether a job is at work, without touching it. SEEN alive | over | absent
set -u
export LC_ALL=C
nonce=$1 root=$2 job=$3
dir=$root/jobs/$job

answer() {
    printf '%sSEEN %s\n' "$nonce" "$*"
    exit 0
}

[ -d "$dir" ] || answer absent
look
[ "$alive" != yes ] || answer alive
answer over
