"""Private keys: made here, or pasted by an admin; is that one which the panel can use?"""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

from nodes.domain.refusal import Refusal
from nodes.domain.text import Text, say
from nodes.transport.base import PinnedKey

FIELD = "ssh_private_key"
_USABLE = (ed25519.Ed25519PrivateKey, rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)


def made() -> str:
    """A new ed25519 private key. It is stored encrypted, and nothing ever shows it."""
    key = ed25519.Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()


def public_half(private: str) -> PinnedKey:
    """What a server has to know of a stored key: OpenSSH type name and base64 body."""
    key = _load(private.encode())
    assert isinstance(key, _USABLE)  # only such a key was ever stored
    line = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    kind, body = line.split()
    return PinnedKey(kind, body)


def normalized(text: str) -> str:
    """Unix line ends and one at the end: what a form or an editor did to a key is undone."""
    lines = [line.strip() for line in text.strip().splitlines()]
    return "\n".join(lines) + "\n" if lines else ""


def key_problem(text: str) -> Refusal | None:
    """Why this is not a usable private key; None when it is one. The key is never quoted."""
    if "PuTTY-User-Key-File" in text:
        return _putty()
    if "PRIVATE KEY-----" not in text:
        return _no_key(text)
    try:
        key = _load(text.encode())
    except TypeError:  # what cryptography raises for a key that needs a passphrase
        return _encrypted()
    except (ValueError, UnsupportedAlgorithm) as error:
        return _encrypted() if "password" in str(error).lower() else _damaged()
    return None if isinstance(key, _USABLE) else _unsupported()


def _load(data: bytes) -> object:
    return (
        load_ssh_private_key(data, None) if b"OPENSSH" in data else load_pem_private_key(data, None)
    )


def _no_key(text: str) -> Refusal:
    if text.lstrip().startswith(("ssh-", "ecdsa-")):
        why = say("This is a public key; the panel needs the private one to sign in.")
        fix = say("Paste the file of the same name without “.pub”.")
    else:
        why = say("This is not a private key: the line “BEGIN … PRIVATE KEY” is missing.")
        fix = say("Paste the whole file, with its first and last line.")
    return _refusal(why, fix)


def _putty() -> Refusal:
    return _refusal(
        say("This is a key in PuTTY's own format, which only PuTTY reads."),
        say("Convert it: `puttygen key.ppk -O private-openssh -o key`"),
    )


def _encrypted() -> Refusal:
    return _refusal(
        say("This private key is protected with a passphrase."),
        say(
            "The panel signs in when nobody is there to type it. Make a key for the panel alone:"
            " `ssh-keygen -t ed25519 -N '' -f clusterpanel_key`"
        ),
    )


def _damaged() -> Refusal:
    return _refusal(
        say("This private key is damaged or cut off."),
        say("Paste the whole file, with its first and last line."),
    )


def _unsupported() -> Refusal:
    return _refusal(
        say("Keys of this type are no longer accepted by SSH."),
        say("Make a new one: `ssh-keygen -t ed25519 -N '' -f clusterpanel_key`"),
    )


def _refusal(why: Text, fix: Text) -> Refusal:
    return Refusal("ssh_key_invalid", why, fix, field=FIELD)
