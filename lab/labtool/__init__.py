"""The lab: real nodes (systemd, sshd, MariaDB Galera, GlusterFS) in namespaces on this machine."""
