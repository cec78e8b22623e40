"""`make chaos`: kill parts of a panel while it works, hundreds of times, and look at the truth.

Everything is real but (on most rows) the servers: the panel is the one that `make run` starts, the
kills are SIGKILL, and what happened is read from the nodes past the panel. docs/reliability.md has
the last full count; tests/chaos/ runs a small seeded share of the same code.
"""
