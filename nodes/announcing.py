"""What is said when a cluster's stored facts have changed: the cluster's id, and nothing else."""

from __future__ import annotations

from clusterpanel.announcing import Channel

SEEN = Channel("seen")
