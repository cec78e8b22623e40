# Releases the node if this run of this panel holds it. LOCK free | held RUN
set -u
export LC_ALL=C
nonce=$1 root=$2 panel=$3 run=$4
lock=$root/lock
holder='' holds=''
{
    read -r holder < "$lock/panel" || :
    read -r holds < "$lock/run" || :
} 2> /dev/null
if [ ! -d "$lock" ] || { [ "$holder" = "$panel" ] && [ "$holds" = "$run" ]; }; then
    # Moved away first: nobody sees a lock that is half gone.
    mv "$lock" "$lock.$$" 2> /dev/null && rm -rf "$lock.$$"
    printf '%sLOCK free\n' "$nonce"
else
    printf '%sLOCK held %s\n' "$nonce" "$holds"
fi
