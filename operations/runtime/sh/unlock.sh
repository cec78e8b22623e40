# Releases the node if this run of this panel holds it. LOCK free | held RUN
set -u
export LC_ALL=C
nonce=$1 root=$2 panel=$3 run=$4
lock=$root/lock
aside=$root/.lock.$nonce

read_owner "$lock"
if [ ! -d "$lock" ] || ours; then
    # Moved away first: nobody sees a lock that is half gone. Somebody may have taken it over just now.
    if mv "$lock" "$aside" 2> /dev/null; then
        read_owner "$aside"
        if ours; then rm -rf "$aside"; elif [ ! -d "$lock" ]; then mv "$aside" "$lock"; fi
    fi
    printf '%sLOCK free\n' "$nonce"
else
    printf '%sLOCK held %s\n' "$nonce" "$holds"
fi
