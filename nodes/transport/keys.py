"""Host keys and private keys: reading, comparing, fingerprints. No network."""

from __future__ import annotations

import base64
import hashlib
import io

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

from nodes.domain.text import say
from nodes.transport.base import AuthFailed, HostKeyChanged, HostKeyUnknown, PinnedKey, Target

_RSA = ("rsa-sha2-512", "rsa-sha2-256")  # how a key of type ssh-rsa signs


def fingerprint(key: PinnedKey) -> str:
    """ "SHA256:…" exactly as `ssh-keygen -l` prints it."""
    digest = hashlib.sha256(base64.b64decode(key.base64)).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def shown_key(key: paramiko.PKey) -> PinnedKey:
    return PinnedKey(key.get_name(), key.get_base64())


def compare(target: Target, shown: PinnedKey) -> None:
    """Law 12: raises HostKeyUnknown or HostKeyChanged unless a person accepted this very key."""
    if not target.pinned_keys:
        raise HostKeyUnknown(target.host, shown.type, fingerprint(shown))
    if shown not in target.pinned_keys:
        pinned = next((key for key in target.pinned_keys if key.type == shown.type), None)
        pinned = pinned or target.pinned_keys[0]
        raise HostKeyChanged(target.host, fingerprint(pinned), fingerprint(shown))


def preferred(pinned: tuple[PinnedKey, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    """Host key algorithms with the pinned types first: a server that has several shows that one."""
    wanted = [name for key in pinned for name in (_RSA if key.type == "ssh-rsa" else (key.type,))]
    first = [name for name in dict.fromkeys(wanted) if name in known]
    return (*first, *(name for name in known if name not in first))


def private_key(target: Target) -> paramiko.PKey:
    """The key to sign in with, OpenSSH or PEM. Raises AuthFailed with the reason."""
    data = target.private_key.strip().encode() + b"\n"
    try:
        if b"BEGIN OPENSSH PRIVATE KEY" in data:
            key: object = load_ssh_private_key(data, password=None)
        else:
            key = load_pem_private_key(data, password=None)
    except TypeError as error:  # how cryptography says: encrypted, and no password was given
        raise _unreadable(target, "it is protected by a passphrase") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _unreadable(target, _shape(data)) from error
    return _as_paramiko(target, key)


def _as_paramiko(target: Target, key: object) -> paramiko.PKey:
    if not isinstance(
        key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
    ):
        raise _unreadable(target, "only Ed25519, ECDSA and RSA keys are understood")
    text = io.StringIO(
        key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    )
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return paramiko.Ed25519Key.from_private_key(text)
    if isinstance(key, rsa.RSAPrivateKey):
        return paramiko.RSAKey.from_private_key(text)
    return paramiko.ECDSAKey.from_private_key(text)


def _shape(data: bytes) -> str:
    if data.startswith(b"PuTTY-User-Key-File"):
        return "it is in PuTTY's own format; export it as an OpenSSH key"
    if data.startswith((b"ssh-", b"ecdsa-")):
        return "this is the public half; the private one is needed"
    return "it is not a private key in OpenSSH or PEM format, or a part of it is missing"


def _unreadable(target: Target, reason: str) -> AuthFailed:
    return AuthFailed(
        say(
            "The private key for %(user)s on %(host)s cannot be read: %(reason)s.",
            user=target.username,
            host=target.host,
            reason=reason,
        ),
        say("Paste the whole private key, without a passphrase, or use a password."),
    )
