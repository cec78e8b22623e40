"""What can go wrong on the way to a server, as sentences with host, port, seconds and a remedy."""

from __future__ import annotations

import errno
import socket

import paramiko

from nodes.domain.text import Text, say
from nodes.transport.base import (
    AnswerTooLong,
    AuthFailed,
    Closed,
    CommandTimeout,
    ConnectionLost,
    SudoRefused,
    Target,
    TransportError,
    Unreachable,
)


class NotSent(ConnectionLost):
    """The connection turned out to be dead before a command was given to the server."""


def unreachable(target: Target, error: Exception, seconds: float) -> Unreachable:
    """TCP or the greeting failed."""
    why, fix = _why_unreachable(target, error, seconds)
    return Unreachable(why, fix)


def _why_unreachable(target: Target, error: Exception, seconds: float) -> tuple[Text, Text]:
    at = {"host": target.host, "port": target.port}
    if isinstance(error, socket.gaierror):
        return (
            say("The name %(host)s does not resolve on the panel's machine.", host=target.host),
            say("Use the address, or add the name to DNS or to /etc/hosts of the panel."),
        )
    if isinstance(error, TimeoutError):
        return (
            say("%(host)s port %(port)s did not answer within %(s)s s.", s=f"{seconds:g}", **at),
            say("Look whether the server is on and a firewall lets the panel through."),
        )
    if isinstance(error, ConnectionRefusedError):
        return (
            say("%(host)s refused the connection to port %(port)s.", **at),
            say("Look whether sshd runs there and listens on port %(port)s.", port=target.port),
        )
    if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
        return _too_old(target, error)
    return _other(target, error)


def _too_old(target: Target, error: Exception) -> tuple[Text, Text]:
    return (
        say(
            "%(host)s port %(port)s speaks only SSH algorithms that are no longer safe (%(error)s).",
            host=target.host,
            port=target.port,
            error=error,
        ),
        say("Update OpenSSH on the server; version 7.2 or newer is needed."),
    )


def _other(target: Target, error: Exception) -> tuple[Text, Text]:
    at = {"host": target.host, "port": target.port}
    number = getattr(error, "errno", None)
    if number in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return (
            say("There is no route from the panel to %(host)s port %(port)s.", **at),
            say("Look whether the server is on, and at the network between."),
        )
    return (
        say(
            "%(host)s port %(port)s does not answer as an SSH server: %(error)s",
            error=str(error) or type(error).__name__,
            **at,
        ),
        say("Look whether sshd listens there; its log on the server may say more."),
    )


def sign_in_failed(
    target: Target, session: paramiko.Transport, error: Exception, seconds: float
) -> TransportError:
    """Only a server that is still there has refused the key. One that is about to go down, or boots,
    hangs up on everybody but root (pam_nologin), and its banner says so."""
    if session.is_active():
        return auth_failed(target, error)
    if str(error).startswith("Authentication timeout"):
        return unreachable(target, TimeoutError(), seconds)
    if str(error).endswith("saw EOF"):  # paramiko's word for a connection that ended
        # Not `get_banner`: of a session that is over it gives none.
        return _hung_up(target, getattr(session.auth_handler, "banner", None) or b"")
    return auth_failed(target, error)


def auth_failed(target: Target, error: Exception) -> AuthFailed:
    what = "key" if target.private_key else "password"
    allowed = getattr(error, "allowed_types", None)
    if allowed:
        why = say(
            "%(host)s does not let %(user)s sign in with a %(what)s; it offers: %(types)s.",
            host=target.host,
            user=target.username,
            what=what,
            types=", ".join(allowed),
        )
    else:
        why = say(
            "%(host)s port %(port)s refused user %(user)s with this %(what)s.",
            host=target.host,
            port=target.port,
            user=target.username,
            what=what,
        )
    return AuthFailed(why, _auth_fix(target))


def _auth_fix(target: Target) -> Text:
    if target.private_key:
        return say(
            "Put the public key into ~%(user)s/.ssh/authorized_keys there; the page Access has the"
            " command. If it is there, look at PermitRootLogin in /etc/ssh/sshd_config.",
            user=target.username,
        )
    return say(
        "Check user and password; look at PasswordAuthentication and PermitRootLogin in"
        " /etc/ssh/sshd_config."
    )


def _hung_up(target: Target, banner: bytes) -> Unreachable:
    """The server ended the connection in the middle of the sign-in. It says nothing about the key."""
    return Unreachable(
        say(
            "%(host)s ended the connection while %(user)s signed in: %(said)s",
            host=target.host,
            user=target.username,
            said=" ".join(banner.decode(errors="replace").split())[:200] or "no reason given",
        ),
        say(
            "It may be starting or going down; wait. If it stays so, look at the account of"
            " %(user)s there: chage -l, /etc/nologin, PAM.",
            user=target.username,
        ),
    )


def no_secret(target: Target) -> AuthFailed:
    return AuthFailed(
        say("There is neither a key nor a password for %(host)s.", host=target.host),
        say("Enter one under SSH access."),
    )


def lost(target: Target, kind: type[ConnectionLost] = ConnectionLost) -> ConnectionLost:
    return kind(
        say(
            "The connection to %(host)s port %(port)s was lost.", host=target.host, port=target.port
        ),
        say("Look at the network; what was started there may still be running."),
    )


def too_slow(target: Target, seconds: float) -> CommandTimeout:
    return CommandTimeout(
        say(
            "A command on %(host)s did not end within %(seconds)s s.",
            host=target.host,
            seconds=f"{seconds:g}",
        ),
        say("Look at the load of the server and at hanging mounts."),
    )


def too_long(target: Target, most: int) -> AnswerTooLong:
    return AnswerTooLong(
        say(
            "%(host)s answered a question with more than %(most)s MB; it was not read further.",
            host=target.host,
            most=most // 1024**2,
        ),
        say("Look at the server itself: no answer that the panel needs is so long."),
    )


def closed(target: Target, port: int) -> Closed:
    return Closed(
        say("Nothing listens on port %(port)s of %(host)s itself.", port=port, host=target.host),
        say("Look whether the service runs, and at AllowTcpForwarding in /etc/ssh/sshd_config."),
    )


SUDO_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def sudo_refused(target: Target, said: bytes, exit_code: int = 1) -> SudoRefused:
    """The remedy follows from what is the same in every language: exit codes and the names of things."""
    at = {"user": target.username, "host": target.host}
    if exit_code == 127:  # of the shell there, not of sudo
        return SudoRefused(
            say("There is no sudo on %(host)s, and %(user)s is not root.", **at),
            say("Install the package sudo there, or let the panel sign in as root."),
        )
    if b"tty" in said:
        return SudoRefused(
            say("sudo on %(host)s wants a terminal of %(user)s, and the panel has none.", **at),
            _sudoers(target, "Defaults:%(user)s !requiretty"),
        )
    if b"sudo: sh:" in said:
        return sudo_path(target, "")
    why = say(
        "%(user)s on %(host)s may not use sudo without a password: %(said)s",
        said=said.decode(errors="replace").strip()[:200] or "no reason given",
        **at,
    )
    return SudoRefused(why, _sudoers(target, "%(user)s ALL=(root) NOPASSWD: ALL"))


def sudo_path(target: Target, path: str) -> SudoRefused:
    """Commands would be missing one by one, each in words that nobody understands."""
    why = say(
        "sudo on %(host)s gives %(user)s a PATH without /usr/bin and /usr/sbin: %(path)s",
        user=target.username,
        host=target.host,
        path=path[:200] or "-",
    )
    return SudoRefused(why, _sudoers(target, f"Defaults:%(user)s secure_path={SUDO_PATH}"))


def _sudoers(target: Target, line: str) -> Text:
    return say(
        "Write this line into /etc/sudoers.d/clusterpanel on %(host)s: `%(line)s`",
        host=target.host,
        line=line % {"user": target.username},
    )
