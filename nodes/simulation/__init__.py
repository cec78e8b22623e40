"""A cluster that exists only in memory: MariaDB Galera, GlusterFS and systemd on N servers.

`world.py` says what there is, `events.py` what can happen, `apply.py` what it does: values in,
values out, standard library only. `skin/` dresses the model as servers that a real `sh` can be
used on; `nodes.transport.simulated` reaches them as `nodes.transport.ssh` reaches real ones.
"""
