"""The `.env` of each server beside what it should say, line by line."""

from __future__ import annotations

from dataclasses import dataclass

from nodes.domain import tally
from nodes.domain.observation import ClusterFacts, EnvFacts, Unknown
from nodes.domain.peers import PeerSettings
from nodes.domain.text import Text, say


@dataclass(frozen=True)
class EnvLine:
    """`found` None: the key is not in the file."""

    key: str
    found: str | None
    wanted: str

    @property
    def same(self) -> bool:
        return self.found == self.wanted


@dataclass(frozen=True)
class EnvFile:
    """One server's file. `unknown` says why its lines are not known; then there are none."""

    host: str
    present: bool
    lines: tuple[EnvLine, ...]
    unknown: Text | None = None

    @property
    def same(self) -> bool:
        return self.present and all(line.same for line in self.lines)


def differences(settings: PeerSettings, facts: ClusterFacts | None) -> list[EnvFile]:
    """One entry for each server, in the order of the lists."""
    return [_file(host, settings, facts) for host in settings.hosts]


def _file(host: str, settings: PeerSettings, facts: ClusterFacts | None) -> EnvFile:
    node = tally.node_of(facts, host)
    env: EnvFacts | Unknown = node.env if node else Unknown(say("This server was not asked yet."))
    if isinstance(env, Unknown):
        return EnvFile(host, False, (), env.why)
    wanted = settings.as_env().items()
    return EnvFile(
        host, env.present, tuple(EnvLine(key, env.keys.get(key), value) for key, value in wanted)
    )
