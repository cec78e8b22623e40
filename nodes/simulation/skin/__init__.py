"""Dresses the model as servers: a directory tree per node, and commands first on the PATH.

    BASE/world.json             the whole model; locked by world.lock while somebody uses it
    BASE/volumes/NAME/          the files of a GlusterFS volume
    BASE/nodes/HOST/            what the node takes for /: etc, var, run, data, proc, tmp, usr/local/sbin

How an absolute path of a script becomes one of these directories: `layout.py`, and why that way:
docs/adr/0005.
"""
