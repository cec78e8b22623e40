"""The questions to glusterd, as scripts of the same form as the beat's."""

from __future__ import annotations

from nodes.probes.script import PRELUDE

# What glusterd knows by itself: asks no other server and takes no lock of the pool. One that was
# never used has no file of a peer or a volume, and is not asked: while it is off its command line
# waits for it, and a slow answer would make "nothing there" unknown.
GLUSTER_OWN = (
    PRELUDE
    + r"""
names=$(ls -A /var/lib/glusterd/peers /var/lib/glusterd/vols 2>/dev/null | grep -v ':$')
own() { if has gluster; then echo "$names"; else echo 'not installed'; fi; }
peers() { has gluster && limit 2 gluster --xml --mode=script peer status; }
volumes() { has gluster && limit 2 gluster --xml --mode=script volume info; }
part own own
[ -n "$names" ] || exit 0
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
