#!/bin/sh
# STAND-IN for the vendor's glusterfs_setup.sh, which is not public. It does what the vendor's manual says
# the script does, on a node of the lab. Its texts, files and exit codes are ours, not the vendor's.
#
#   sh glusterfs_setup.sh -a init_gluster   on every node, one after the other
#   sh glusterfs_setup.sh -a init_peers     on the master
#   sh glusterfs_setup.sh -a init_volume    on the master; CLUSTER_FS_ARBITER=1: the last node keeps no file contents
#   sh glusterfs_setup.sh -a mount          on every node, one after the other

here=$(dirname "$0")
env_file=$here/../.env
. "$here/settings.sh"

volume=dpiui2
brick=/data/brick1
app_user=www-data
export LC_ALL=C

read_settings() {
    hosts=$(env_hosts CLUSTER_FS_PEER_HOSTS)
    [ -n "$hosts" ] || fail "CLUSTER_FS_PEER_HOSTS is empty in $env_file"
    primary=$(env_value CLUSTER_PRIMARY_HOST)
    [ -n "$primary" ] || fail "CLUSTER_PRIMARY_HOST is empty in $env_file"
    own=$(own_host $hosts) || fail "none of CLUSTER_FS_PEER_HOSTS ($hosts) is this machine"
    count=$(echo "$hosts" | wc -w)
    say "this machine is $own, the master is $primary, the cluster is $hosts"
}

only_on_the_master() {
    is_own "$primary" || fail "$action must be run on the master node $primary only"
}

gluster_cli() {
    gluster --mode=script "$@" </dev/null
}

init_gluster() {
    say "starting glusterd"
    systemctl enable --now glusterd || fail "glusterd did not start: see journalctl -u glusterd"
    mkdir -p "$brick" || fail "cannot make the brick directory $brick"
    wait_for 30 gluster_cli peer status >/dev/null || fail "glusterd does not answer"
    say "glusterd is active, the brick is $brick"
}

peers_are_connected() {
    joined=$(gluster_cli peer status | grep -c '^State: Peer in Cluster (Connected)')
    [ "$joined" -eq $((count - 1)) ]
}

init_peers() {
    only_on_the_master
    for host in $hosts; do
        is_own "$host" && continue
        say "adding $host"
        gluster_cli peer probe "$host" || fail "cannot add $host: does glusterd run there, and is port 24007 open?"
    done
    say "waiting until all peers are connected"
    wait_for 60 peers_are_connected || fail "not all peers are connected after 60 s: $(gluster_cli peer status)"
    gluster_cli pool list
}

replication() {
    [ "$count" -eq 1 ] && return
    echo "replica $count"
    if [ "${CLUSTER_FS_ARBITER:-0}" = 1 ] && [ "$count" -eq 3 ]; then echo "arbiter 1"; fi
}

bricks_are_online() {
    online=$(gluster_cli volume status "$volume" detail | grep -c '^Online *: Y')
    [ "$online" -eq "$count" ]
}

init_volume() {
    only_on_the_master
    bricks=
    for host in $hosts; do bricks="$bricks $host:$brick"; done
    say "creating the volume $volume:" $(replication) "on$bricks"
    gluster_cli volume create "$volume" $(replication) $bricks force || fail "the volume was not created"
    gluster_cli volume start "$volume" || fail "the volume did not start"
    say "waiting until all bricks are online"
    wait_for 60 bricks_are_online || fail "not all bricks are online after 60 s"
    gluster_cli volume info "$volume"
}

storage_is_mounted() {
    findmnt -n -t fuse.glusterfs "$storage" >/dev/null
}

# The master's files go into the volume once; a volume that holds something is newer than any local copy.
fill_volume() {
    staging=$(mktemp -d)
    mount -t glusterfs "localhost:/$volume" "$staging" || fail "the volume cannot be mounted on $staging"
    if [ -z "$(ls -A "$staging")" ]; then
        say "copying $(find "$storage" -type f | wc -l) files of $storage into the volume"
        cp -a "$storage/." "$staging/" || { umount "$staging"; fail "the files were not copied"; }
    else
        say "the volume already holds files; nothing is copied"
    fi
    chown "$app_user:$app_user" "$staging"
    umount "$staging" && rmdir "$staging"
}

mount_storage() {
    grep -q "^localhost:/$volume " /etc/fstab ||
        echo "localhost:/$volume $storage glusterfs defaults,_netdev 0 0" >>/etc/fstab
    systemctl daemon-reload
    mount "$storage" || fail "$storage cannot be mounted: see /var/log/glusterfs"
    storage_is_mounted || fail "$storage is not a GlusterFS mount after mounting it"
}

do_mount() {
    storage=$(cd "$here/../storage" && pwd) || fail "the directory storage/ is missing"
    if storage_is_mounted; then
        say "$storage is already mounted"
        return
    fi
    gluster_cli volume info "$volume" >/dev/null 2>&1 || fail "the volume $volume does not exist: run init_volume on the master first"
    if is_own "$primary"; then fill_volume; else say "the files of this machine give way to the volume's"; fi
    mount_storage
    say "$storage is on the volume: $(find "$storage" -type f | wc -l) files, owner $(stat -c %U:%G "$storage")"
}

begin glusterfs_setup.sh "init_gluster|init_peers|init_volume|mount" "$@"
read_settings
if [ "$action" = mount ]; then do_mount; else "$action"; fi
say "done"
