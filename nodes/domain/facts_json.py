"""Facts as JSON and back, so that a sweep can be stored and shown later.

A value of one of our classes becomes an object with "$type"; tuples become lists and return as
tuples. A stored fact that this version does not understand becomes Unknown, never an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from nodes.domain import observation
from nodes.domain.observation import GlusterPeer, GlusterVolume, NodeFacts, Unknown
from nodes.domain.text import Text, say

_TYPE = "$type"
_CLASSES: dict[str, type[Any]] = {
    cls.__name__: cls
    for cls in (
        Text,
        Unknown,
        observation.GaleraFacts,
        observation.GlusterPeer,
        observation.GlusterBrick,
        observation.GlusterVolume,
        observation.MountFacts,
        observation.EnvFacts,
        observation.Grastate,
        observation.Transfer,
        observation.PageFacts,
        observation.NodeFacts,
    )
}


def to_json(facts: NodeFacts) -> dict[str, Any]:
    encoded = _encode(facts)
    assert isinstance(encoded, dict)
    return encoded


def from_json(data: Mapping[str, Any]) -> NodeFacts:
    """The stored facts. What is missing in them or not understood is Unknown."""
    values = {f.name: _decode(data[f.name]) for f in fields(NodeFacts) if f.name in data}
    absent = {f.name for f in fields(NodeFacts)} - values.keys() - {"extra", "read_at"}
    return NodeFacts(**{**dict.fromkeys(absent, _OLD), **values})


def gluster_to_json(
    peers: tuple[GlusterPeer, ...] | Unknown,
    volumes: tuple[GlusterVolume, ...] | Unknown,
    read_at: float,
    heal_at: float,
) -> dict[str, Any]:
    """What glusterd of one node said, stored apart because it has a beat of its own."""
    return {
        "gluster_peers": _encode(peers),
        "gluster_volumes": _encode(volumes),
        "read_at": {"gluster": read_at, "heal": heal_at},
    }


def with_gluster(node: NodeFacts, data: Mapping[str, Any] | None) -> NodeFacts:
    """The node's facts with what its glusterd said last; a node that is away keeps its reason."""
    if not data or node.ssh is not True:
        return node
    return replace(
        node,
        gluster_peers=_decode(data["gluster_peers"]),
        gluster_volumes=_decode(data["gluster_volumes"]),
        read_at={**node.read_at, **data["read_at"]},
    )


_OLD = Unknown(say("This was stored by another version of the panel. Ask the servers again."))


def _encode(value: Any) -> Any:
    if is_dataclass(value):
        plain = {f.name: _encode(getattr(value, f.name)) for f in fields(value)}
        return {_TYPE: type(value).__name__, **plain}
    if isinstance(value, Mapping):
        return {_escaped(str(key)): _encode(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_encode(item) for item in value]
    return value


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_decode(item) for item in value)
    if not isinstance(value, Mapping):
        return value
    plain = {_unescaped(key): _decode(item) for key, item in value.items() if key != _TYPE}
    if _TYPE not in value:
        return plain
    try:
        return _CLASSES[value[_TYPE]](**plain)
    except (KeyError, TypeError):
        return _OLD


# A database may be named "$type".
def _escaped(key: str) -> str:
    return "$" + key if key.startswith("$") else key


def _unescaped(key: str) -> str:
    return key.removeprefix("$")
