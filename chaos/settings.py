"""The panel's own settings, with a broker that delivers every task twice."""

from __future__ import annotations

from kombu.transport import TRANSPORT_ALIASES

from clusterpanel.settings import *  # noqa: F403

TRANSPORT_ALIASES["redis"] = "chaos.doubled:Transport"
