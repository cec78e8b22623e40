#!/bin/sh
# STAND-IN for the vendor's galera_setup.sh, which is not public. It does what the vendor's manual says
# the script does, on a node of the lab. Its texts, files and exit codes are ours, not the vendor's.
#
#   sh galera_setup.sh -a init_cluster      on every node, the master first
#
# Like the manual warns: on the master it starts a NEW cluster each time, on the others the database
# is replaced by the master's.

here=$(dirname "$0")
env_file=$here/../.env
. "$here/settings.sh"

config=/etc/mysql/mariadb.conf.d/60-galera.cnf
datadir=/var/lib/mysql

read_settings() {
    hosts=$(env_hosts GALERA_PEER_HOSTS)
    [ -n "$hosts" ] || fail "GALERA_PEER_HOSTS is empty in $env_file"
    primary=$(env_value CLUSTER_PRIMARY_HOST)
    [ -n "$primary" ] || fail "CLUSTER_PRIMARY_HOST is empty in $env_file"
    own=$(own_host $hosts) || fail "none of GALERA_PEER_HOSTS ($hosts) is this machine"
    say "this machine is $own, the master is $primary, the cluster is $hosts"
}

write_config() {
    provider=/usr/lib/galera/libgalera_smm.so
    [ -f "$provider" ] || fail "the Galera provider $provider is not installed"
    cat >"$config" <<END
# Written by galera_setup.sh
[galera]
wsrep_on = ON
wsrep_provider = $provider
wsrep_cluster_name = dpiui2
wsrep_cluster_address = gcomm://$(echo "$hosts" | tr ' ' ',')
wsrep_node_name = $(hostname)
wsrep_node_address = $(address_of "$own")
wsrep_sst_method = rsync
binlog_format = ROW
default_storage_engine = InnoDB
innodb_autoinc_lock_mode = 2
bind-address = 0.0.0.0
END
    say "wrote $config"
}

stop_database() {
    say "stopping the database"
    systemctl disable --now mariadb.socket 2>/dev/null
    systemctl stop mariadb || fail "mariadb does not stop"
    systemctl reset-failed mariadb 2>/dev/null
}

start_new_cluster() {
    say "starting a new cluster on the master"
    rm -f "$datadir/grastate.dat" "$datadir/gvwstate.dat"
    galera_new_cluster || fail "galera_new_cluster failed: see journalctl -u mariadb"
}

join_cluster() {
    say "joining the cluster; the database of this machine is replaced by the master's"
    systemctl start mariadb || fail "mariadb did not start: see journalctl -u mariadb"
}

wsrep() {
    mariadb -Nse "SHOW GLOBAL STATUS LIKE '$1'" 2>/dev/null | cut -f2
}

is_synced() {
    [ "$(wsrep wsrep_local_state)" = 4 ]
}

init_cluster() {
    read_settings
    write_config
    stop_database
    if is_own "$primary"; then start_new_cluster; else join_cluster; fi
    say "waiting until this node is synced"
    wait_for 120 is_synced || fail "the node is not synced after 120 s ($(wsrep wsrep_local_state_comment))"
    say "state $(wsrep wsrep_local_state_comment), status $(wsrep wsrep_cluster_status), size $(wsrep wsrep_cluster_size)"
}

begin galera_setup.sh "init_cluster" "$@"
"$action"
say "done"
