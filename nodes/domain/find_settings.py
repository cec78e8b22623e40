"""Drift: what the `.env` of a server says beside what the panel wants in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from nodes.domain.actions import look, procedure
from nodes.domain.apply_command import CACHED, EXAMPLE
from nodes.domain.observation import EnvFacts, NodeFacts, Unknown
from nodes.domain.peers import PRIMARY_KEY, PeerSettings
from nodes.domain.text import Text, say
from nodes.domain.verdict import Finding
from nodes.domain.view import View


def drift_id(host: str, env: EnvFacts, settings: PeerSettings) -> str:
    """The finding's id: another one as soon as the file or the panel's wish is another.

    So an acknowledgement of it is worth for this difference and no other.
    """
    told = json.dumps([sorted(env.keys.items()), sorted(settings.as_env().items())])
    return f"settings:{host}:{hashlib.sha256(told.encode()).hexdigest()[:12]}"


def drifted(node: NodeFacts, settings: PeerSettings) -> dict[str, str]:
    """The keys that are otherwise in the node's file, with what is wanted; {} also when unknown."""
    if isinstance(node.env, Unknown) or not node.env.present:
        return {}
    found = node.env.keys
    return {key: value for key, value in settings.as_env().items() if found.get(key) != value}


def settings_differ(view: View) -> Iterator[Finding]:
    for node in view.nodes:
        other = drifted(node, view.settings)
        if other and isinstance(node.env, EnvFacts):
            yield Finding(
                drift_id(node.host, node.env, view.settings),
                "warning",
                "degraded",
                _what(node.host, node.env, other),
                _why(node.env),
                procedure(
                    "apply_settings",
                    say(
                        "Write the panel's lines, take those of %(host)s, or ignore it until it"
                        " changes; nothing is written before you have seen it.",
                        host=node.host,
                    ),
                    node.host,
                ),
                node.host,
            )


def _what(host: str, env: EnvFacts, other: Mapping[str, str]) -> Text:
    """The most important line, and how many more there are."""
    key = PRIMARY_KEY if PRIMARY_KEY in other else next(iter(other))
    told = _line(host, env, key, other[key])
    more = len(other) - 1
    return (
        say("%(told)s Lines that differ besides: %(more)s.", told=told, more=more) if more else told
    )


def _line(host: str, env: EnvFacts, key: str, wanted: str) -> Text:
    found = env.keys.get(key)
    if found is None:
        return say(
            "%(host)s has no line %(key)s in its .env, the panel wants %(wanted)s.",
            host=host,
            key=key,
            wanted=wanted,
        )
    plain = {"host": host, "key": key, "found": found, "wanted": wanted}
    if key not in env.lines:
        return say("%(host)s has %(key)s=%(found)s, the panel wants %(wanted)s.", **plain)
    return say(
        "%(host)s has %(key)s=%(found)s in line %(line)s of its .env, the panel wants %(wanted)s.",
        **plain,
        line=env.lines[key],
    )


def _why(env: EnvFacts) -> Text:
    if env.changed_at is None:
        return say(
            "The scripts and dpiui2 on this server act by other settings than on the others."
        )
    return say(
        "The file was changed at %(when)s UTC. The scripts and dpiui2 on this server act by other"
        " settings than on the others.",
        when=f"{datetime.fromtimestamp(env.changed_at, UTC):%Y-%m-%d %H:%M:%S}",
    )


def settings_unknown(view: View) -> Iterator[Finding]:
    for node in view.nodes:
        if node.ssh is not True:
            continue
        if isinstance(node.env, Unknown) or not node.env.present:
            why = node.env.why if isinstance(node.env, Unknown) else say("There is no such file.")
            yield Finding(
                f"env:{node.host}",
                "warning",
                "unknown",
                say("The .env of %(host)s could not be read: %(why)s", host=node.host, why=why),
                say("Whom this server takes for the primary is not known."),
                look(say("Look at the .env of %(host)s.", host=node.host), node.host),
                node.host,
            )


def settings_cached(view: View) -> Iterator[Finding]:
    """The file is right, and dpiui2 goes by what it once said."""
    for node in view.nodes:
        if node.ssh is True and "config_older" in node.extra.get("traces", ()):
            yield _cached(node.host)


def _cached(host: str) -> Finding:
    text = say(
        "Apply the settings on %(host)s, with an apply command such as `%(example)s`.",
        host=host,
        example=EXAMPLE,
    )
    return Finding(
        f"cached:{host}",
        "warning",
        "degraded",
        say("dpiui2 on %(host)s goes by a cached configuration older than its .env.", host=host),
        say("Until %(file)s is made anew, the lines in .env have no effect there.", file=CACHED),
        procedure("apply_settings", text, host),
        host,
    )


RULES = (settings_differ, settings_unknown, settings_cached)
