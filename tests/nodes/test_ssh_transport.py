"""SSH: pinned keys only, each failure a sentence, no deadlock, nothing waits for ever."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from nodes.transport import pool
from nodes.transport.base import (
    AnswerTooLong,
    AuthFailed,
    Closed,
    Command,
    CommandTimeout,
    ConnectionLost,
    HostKeyChanged,
    HostKeyUnknown,
    PinnedKey,
    Target,
    Unreachable,
    script,
)
from nodes.transport.ssh import SshTransport, connect, fingerprint, scan_host_key
from tests.fakes.sshd import Sshd, pinned, running

PrivateKey = ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def pem(key: PrivateKey, form: PrivateFormat = PrivateFormat.OpenSSH, password: str = "") -> str:
    lock = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, form, lock).decode()


ED, RSA, EC = (
    ed25519.Ed25519PrivateKey.generate(),
    rsa.generate_private_key(65537, 2048),
    ec.generate_private_key(ec.SECP256R1()),
)
HOST_ED = paramiko.Ed25519Key.from_private_key(io.StringIO(pem(ED)))
HOST_RSA = paramiko.RSAKey.from_private_key(io.StringIO(pem(RSA)))
HOST_EC = paramiko.ECDSAKey.from_private_key(io.StringIO(pem(EC)))


@pytest.fixture
def sshd() -> Iterator[Sshd]:
    with running(HOST_ED, HOST_RSA) as server:
        yield server


def target(sshd: Sshd, *keys: PinnedKey, **more: str) -> Target:
    secrets = {"password": "secret", **more}
    return Target("127.0.0.1", sshd.port, "root", keys or (pinned(HOST_ED),), **secrets)


@pytest.fixture
def open_(sshd: Sshd) -> Iterator[SshTransport]:
    transport = connect(target(sshd))
    yield transport
    transport.close()


def test_a_key_that_nobody_accepted_is_refused_before_the_sign_in(sshd: Sshd) -> None:
    sshd.password = "never asked"
    with pytest.raises(HostKeyUnknown) as refused:
        connect(Target("127.0.0.1", sshd.port, "root", (), password="wrong"))
    assert refused.value.sha256 == fingerprint(pinned(HOST_ED))


def test_a_changed_key_is_refused_with_both_fingerprints(sshd: Sshd) -> None:
    other = PinnedKey("ssh-ed25519", base64.b64encode(b"another key").decode())
    with pytest.raises(HostKeyChanged) as refused:
        connect(target(sshd, other, password="wrong"))
    assert refused.value.pinned == fingerprint(other)
    assert refused.value.found == fingerprint(pinned(HOST_ED))


def test_a_server_with_several_keys_shows_the_type_that_was_accepted(sshd: Sshd) -> None:
    connect(target(sshd, pinned(HOST_RSA))).close()


def test_the_fingerprint_is_what_ssh_keygen_prints(tmp_path: Path) -> None:
    key = pinned(HOST_EC)
    (tmp_path / "key.pub").write_text(f"{key.type} {key.base64}\n")
    ran = subprocess.run(
        ("ssh-keygen", "-lf", tmp_path / "key.pub"), capture_output=True, text=True
    )
    assert fingerprint(key) == ran.stdout.split()[1]


def test_a_scan_reads_the_key_without_a_login(sshd: Sshd) -> None:
    assert scan_host_key("127.0.0.1", sshd.port) == [pinned(HOST_ED)]


@pytest.mark.parametrize(
    "text",
    [
        pem(ED),
        pem(RSA),
        pem(EC),
        pem(RSA, PrivateFormat.TraditionalOpenSSL),
        pem(EC, PrivateFormat.PKCS8),
        pem(ED, PrivateFormat.PKCS8),
        "\n  " + pem(ED) + "\n\n",
    ],
)
def test_every_usual_key_signs_in(sshd: Sshd, text: str) -> None:
    sshd.authorized = [HOST_ED, HOST_RSA, HOST_EC]
    connect(target(sshd, private_key=text, password="")).close()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("hello", "OpenSSH or PEM"),
        ("PuTTY-User-Key-File-3: ssh-ed25519", "PuTTY"),
        ("ssh-ed25519 AAAA me@here", "public half"),
        (pem(RSA, password="x"), "passphrase"),
        (pem(RSA, PrivateFormat.PKCS8, password="x"), "passphrase"),
    ],
)
def test_an_unreadable_key_says_what_is_wrong_with_it(sshd: Sshd, text: str, reason: str) -> None:
    with pytest.raises(AuthFailed) as refused:
        connect(target(sshd, private_key=text))
    assert reason in str(refused.value.why)


@pytest.mark.parametrize(
    "more", [{"password": "wrong"}, {"private_key": pem(EC)}, {"password": ""}]
)
def test_a_refused_sign_in_is_told_apart_from_a_silent_server(
    sshd: Sshd, more: dict[str, str]
) -> None:
    with pytest.raises(AuthFailed) as refused:
        connect(target(sshd, **more))
    assert "127.0.0.1" in str(refused.value.why)
    assert "wrong" not in str(refused.value.why)


def test_a_server_that_hangs_up_while_somebody_signs_in_has_refused_no_key(sshd: Sshd) -> None:
    """As pam_nologin does to everybody but root while a server boots or goes down."""
    sshd.hangs_up = "System is going down.\nUnprivileged users are not permitted to log in."
    with pytest.raises(Unreachable) as refused:
        connect(target(sshd))
    assert "System is going down. Unprivileged users" in str(refused.value.why)


def test_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(Unreachable) as refused:
        connect(Target("127.0.0.1", port, "root", password="x"))
    assert str(port) in str(refused.value.why)


def test_a_server_that_never_greets_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        started = time.monotonic()
        with pytest.raises(Unreachable) as refused:
            connect(Target("127.0.0.1", mute.getsockname()[1], "root", password="x"), timeout_s=0.5)
    assert time.monotonic() - started < 3
    assert "0.5 s" in str(refused.value.why)


def test_something_else_listens_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as web:

        def answer() -> None:
            with web.accept()[0] as client:
                client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(Unreachable):
            connect(Target("127.0.0.1", web.getsockname()[1], "root", password="x"), timeout_s=2)


def test_an_unknown_name_does_not_resolve() -> None:
    with pytest.raises(Unreachable) as refused:
        connect(Target("no-such-host.invalid", 22, "root", password="x"))
    assert "does not resolve" in str(refused.value.why)


def test_both_streams_are_read_at_once(open_: SshTransport) -> None:
    flood = "head -c 6000000 /dev/zero >&2; echo out"
    output = open_.run(script(flood, timeout_s=20))
    assert (output.stdout, len(output.stderr), output.exit_code) == (b"out\n", 6_000_000, 0)


def test_an_endless_answer_is_not_read_to_its_end(open_: SshTransport) -> None:
    """100 MB in one line: the panel's memory is not the server's to fill."""
    with pytest.raises(AnswerTooLong) as refused:
        open_.run(script("head -c 100000000 /dev/zero | tr '\\0' x", timeout_s=60))
    assert "127.0.0.1" in str(refused.value.why)
    output = open_.run(script("head -c 100000000 /dev/zero >&2; echo there", timeout_s=60))
    assert (output.text, len(output.stderr)) == ("there\n", 16 * 1024**2)


def test_input_is_written_whole(open_: SshTransport) -> None:
    data = os.urandom(3_000_000)
    output = open_.run(Command(("sha256sum",), stdin=data, timeout_s=20))
    assert output.text.split()[0] == hashlib.sha256(data).hexdigest()


def test_arguments_are_quoted_and_exit_codes_come_back(open_: SshTransport) -> None:
    output = open_.run(script('printf "%s" "$1"; exit 7', "a 'b' $(id) \n"))
    assert (output.stdout, output.exit_code) == (b"a 'b' $(id) \n", 7)


def test_a_command_that_takes_too_long_is_given_up(open_: SshTransport) -> None:
    with pytest.raises(CommandTimeout):
        open_.run(script("sleep 5", timeout_s=0.3))


def test_a_stream_delivers_at_once_and_says_when_nothing_came(open_: SshTransport) -> None:
    with open_.stream(script("echo one; sleep 0.4; echo two")) as stream:
        assert stream.read(2) == b"one\n"
        assert stream.read(0.05) is None
        assert stream.read(2) == b"two\n"
        assert stream.read(2) == b""
        assert stream.exit_code() == 0


def test_a_cut_connection_is_lost_and_not_a_short_output(sshd: Sshd, open_: SshTransport) -> None:
    with open_.stream(script("echo one; sleep 5")) as stream:
        assert stream.read(2) == b"one\n"
        sshd.cut()
        with pytest.raises(ConnectionLost):
            stream.read(5)


def test_a_command_killed_by_a_signal_has_ended_and_is_no_lost_connection(
    open_: SshTransport,
) -> None:
    assert open_.run(script("kill -9 $$")).exit_code != 0


def test_a_port_where_nothing_listens_is_closed(open_: SshTransport) -> None:
    with pytest.raises(Closed), open_.tunnel(1):
        pass


def test_the_pool_keeps_one_connection_and_makes_a_new_one_when_it_died(sshd: Sshd) -> None:
    goal = target(sshd)
    try:
        for _ in range(3):
            assert pool.transport_for(goal).run(script("echo up")).text == "up\n"
        assert sshd.connections == 1
        sshd.cut()
        assert pool.transport_for(goal).run(script("echo up")).text == "up\n"
        assert sshd.connections == 2
        pool.transport_for(target(sshd, pinned(HOST_RSA))).run(script("true"))
        assert sshd.connections == 3
    finally:
        pool.close_all()


def test_warming_connects_to_all_and_says_what_failed(sshd: Sshd) -> None:
    good, bad = target(sshd), target(sshd, password="wrong")
    try:
        found = pool.warm([good, bad])
    finally:
        pool.close_all()
    assert found[good] is None
    assert isinstance(found[bad], AuthFailed)


def test_a_child_process_does_not_touch_its_parents_connections(sshd: Sshd) -> None:
    goal = target(sshd)
    try:
        pool.transport_for(goal).run(script("true"))
        child = os.fork()
        if child == 0:
            try:
                mine = pool.transport_for(goal)
                os._exit(0 if mine._live is None else 1)
            finally:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert pool.transport_for(goal).run(script("echo up")).text == "up\n"
        assert sshd.connections == 1
    finally:
        pool.close_all()


def test_secrets_are_in_no_representation(sshd: Sshd) -> None:
    assert "secret" not in repr(target(sshd))


def test_another_key_within_an_open_connection_ends_it(sshd: Sshd, open_: SshTransport) -> None:
    """A session's keys are agreed on anew now and then, and a host key is shown again there."""
    assert open_.run(script("echo one")).text == "one\n"
    sshd.rekey(HOST_ED)
    assert open_.run(script("echo two")).text == "two\n"
    other = paramiko.Ed25519Key.from_private_key(
        io.StringIO(pem(ed25519.Ed25519PrivateKey.generate()))
    )
    sshd.rekey(other)
    with pytest.raises(HostKeyChanged) as refused:
        open_.run(script("touch never"))
    assert refused.value.found == fingerprint(pinned(other))
    assert not open_.alive
