# Says that the run which holds this node is still driven. BEAT kept | lost
set -u
export LC_ALL=C
umask 077
nonce=$1 root=$2 panel=$3 run=$4

answer() {
    printf '%sBEAT %s\n' "$nonce" "$*"
    exit 0
}

# Inside the directory: one that was put aside meanwhile goes away with our beat in it.
cd "$root/lock" 2> /dev/null || answer lost
read_owner .
ours || answer lost
clock
# In place, so that a full disk cannot make us look dead.
{ printf '%-63s\n' "$now" 1<> beat; } 2> /dev/null || answer lost
answer kept
