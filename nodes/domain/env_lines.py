"""The `.env` of each server beside what it should say, line by line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from nodes.domain import tally
from nodes.domain.find_settings import drift_id
from nodes.domain.observation import ClusterFacts, EnvFacts, Unknown
from nodes.domain.peers import PeerSettings
from nodes.domain.text import Text, say


@dataclass(frozen=True)
class EnvLine:
    """`found` None: the key is not in the file. `number` of the line, None when there is none."""

    key: str
    found: str | None
    wanted: str
    number: int | None = None

    @property
    def same(self) -> bool:
        return self.found == self.wanted


@dataclass(frozen=True)
class EnvFile:
    """One server's file. `unknown` says why its lines are not known; then there are none.

    `finding` is the id of its drift, "" when there is none.
    """

    host: str
    present: bool
    lines: tuple[EnvLine, ...]
    unknown: Text | None = None
    changed_at: datetime | None = None
    sha256: str = ""
    finding: str = ""

    @property
    def different(self) -> int:
        return sum(not line.same for line in self.lines)

    @property
    def written(self) -> bool:
        """Somebody gave at least one of the keys a value here."""
        return any(line.found for line in self.lines)

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
    if not env.present:
        return EnvFile(host, False, ())
    lines = tuple(
        EnvLine(key, env.keys.get(key), value, env.lines.get(key))
        for key, value in settings.as_env().items()
    )
    changed = None if env.changed_at is None else datetime.fromtimestamp(env.changed_at, UTC)
    same = all(line.same for line in lines)
    finding = "" if same else drift_id(host, env, settings)
    return EnvFile(host, True, lines, None, changed, env.sha256, finding)
