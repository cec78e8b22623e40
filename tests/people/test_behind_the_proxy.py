"""The sample configuration in a real nginx, before a real panel: HTTPS from the browser's side."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.test import Client

from clusterpanel.models import AuditEntry
from nodes.announcing import SEEN
from tests.browser.log_page import Server, until
from tests.fakes import seen
from tests.people.made import person

ROOT = Path(__file__).resolve().parents[2]
NAME = "panel.example.net"
NGINX = shutil.which("nginx") or str(ROOT / ".venv/unpacked/usr/sbin/nginx")
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not os.access(NGINX, os.X_OK), reason="needs nginx"),
    pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl"),
]


class Proxy:
    """nginx with the sample, on free ports, all its files in `home`."""

    def __init__(self, home: Path, panel_port: int) -> None:
        self.home, self.http, self.https = home, _free_port(), _free_port()
        self._certify()
        sample = (ROOT / "deploy" / "nginx.conf").read_text()
        for said, here in (
            ("listen 80;", f"listen 127.0.0.1:{self.http};"),
            ("listen 443 ", f"listen 127.0.0.1:{self.https} "),
            ("/etc/ssl/panel/fullchain.pem", str(home / "cert.pem")),
            ("/etc/ssl/panel/key.pem", str(home / "key.pem")),
            ("127.0.0.1:8000", f"127.0.0.1:{panel_port}"),
        ):
            assert sample.count(said) == 1, said
            sample = sample.replace(said, here)
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        places = "".join(f"{kind}_temp_path {home}/{kind};\n" for kind in kinds)
        user = "user root;\n" if os.geteuid() == 0 else ""
        whole = (
            f"{user}pid {home}/pid;\nevents {{}}\nhttp {{\naccess_log off;\n{places}{sample}\n}}\n"
        )
        (home / "nginx.conf").write_text(whole)

    def _certify(self) -> None:
        words = (
            f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN={NAME}"
        )
        names = ["-addext", f"subjectAltName=DNS:{NAME}"]
        files = ["-keyout", str(self.home / "key.pem"), "-out", str(self.home / "cert.pem")]
        subprocess.run(["openssl", *words.split(), *names, *files], check=True, capture_output=True)

    def start(self) -> None:
        conf = ["-e", str(self.home / "error"), "-c", str(self.home / "nginx.conf")]
        self.process = subprocess.Popen([NGINX, *conf, "-g", "daemon off;"])
        try:
            until(self._answers, 10)
        except BaseException:
            self.stop()
            raise

    def _answers(self) -> bool:
        assert self.process.poll() is None, (self.home / "error").read_text()
        with socket.socket() as tried:
            return tried.connect_ex(("127.0.0.1", self.https)) == 0

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)

    def open(self) -> http.client.HTTPSConnection:
        """As a browser that knows the certificate: to this machine, under the panel's name."""
        trust = ssl.create_default_context(cafile=str(self.home / "cert.pem"))
        connection = http.client.HTTPSConnection(NAME, timeout=20)
        plain = socket.create_connection(("127.0.0.1", self.https), 10)
        connection.sock = trust.wrap_socket(plain, server_hostname=NAME)
        return connection


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transactional_db: None, broker_url: str
) -> Iterator[Proxy]:
    monkeypatch.setenv("HTTPS_ONLY", "1")
    monkeypatch.setenv("ALLOWED_HOSTS", f"{NAME},127.0.0.1")
    monkeypatch.setenv("CSRF_TRUSTED_ORIGINS", f"https://{NAME}")
    panel = Server()
    panel.start()
    made = Proxy(tmp_path, panel.port)
    try:
        made.start()
        yield made
        made.stop()
    finally:
        panel.cut()


def answer_of(
    connection: http.client.HTTPConnection, method: str, path: str, **more: object
) -> tuple[http.client.HTTPResponse, bytes]:
    connection.request(method, path, **more)  # type: ignore[arg-type]
    answer = connection.getresponse()
    return answer, answer.read()


def test_everything_goes_over_https(proxy: Proxy) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", proxy.http, timeout=10)) as plain:
        answer, _ = answer_of(plain, "GET", "/runs/?page=2", headers={"Host": NAME})
    assert (answer.status, answer.headers["Location"]) == (301, f"https://{NAME}/runs/?page=2")
    with closing(proxy.open()) as shut:
        answer, _ = answer_of(shut, "GET", "/sign-in/")
    assert answer.status == 200
    assert answer.headers["Server"] == "nginx"  # and not which one
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "'unsafe-inline'" not in answer.headers["Content-Security-Policy"]
    for cookie in answer.headers.get_all("Set-Cookie") or [""]:
        assert cookie.startswith("__Host-")
        assert "Secure" in cookie


def test_a_cipher_that_can_be_tampered_with_is_refused(proxy: Proxy) -> None:
    assert _speaks(proxy, "ECDHE-ECDSA-AES128-GCM-SHA256")
    assert not _speaks(proxy, "ECDHE-ECDSA-AES128-SHA")


def _speaks(proxy: Proxy, cipher: str) -> bool:
    only = ssl.create_default_context(cafile=str(proxy.home / "cert.pem"))
    only.maximum_version = ssl.TLSVersion.TLSv1_2
    only.set_ciphers(cipher)
    with socket.create_connection(("127.0.0.1", proxy.https), 10) as plain:
        try:
            only.wrap_socket(plain, server_hostname=NAME).close()
        except ssl.SSLError:
            return False
        return True


def test_what_is_sent_is_bounded_before_the_panel_reads_it(proxy: Proxy) -> None:
    with closing(proxy.open()) as shut:
        answer, _ = answer_of(shut, "POST", "/sign-in/", body=b"x" * 1_100_000)
    assert answer.status == 413


def test_nobody_says_himself_from_where_he_comes(proxy: Proxy) -> None:
    with closing(proxy.open()) as shut:
        answer, page = answer_of(shut, "GET", "/sign-in/")
        token = page.split(b'name="csrfmiddlewaretoken" value="')[1].split(b'"')[0].decode()
        cookies = [c.split(";")[0] for c in answer.headers.get_all("Set-Cookie") or []]
        headers = {
            "Cookie": "; ".join(cookies),
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": f"https://{NAME}",
            "X-Forwarded-For": "6.6.6.6",
        }
        form = {"csrfmiddlewaretoken": token, "username": "eve", "password": "guess"}
        answer, _ = answer_of(shut, "POST", "/sign-in/", body=urlencode(form), headers=headers)
    assert answer.status == 200  # the form again
    refused = AuditEntry.objects.filter(action__contains="sign_in").latest("pk")
    assert "6.6.6.6" not in str(refused.detail)
    assert "127.0.0.1" in str(refused.detail)


def test_a_stream_is_passed_on_word_by_word(proxy: Proxy) -> None:
    site = seen.cluster()
    seen.observed(site, "healthy")
    client = Client()
    client.force_login(person("olga", "viewer"))
    cookie = f"__Host-sessionid={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    with closing(proxy.open()) as shut:
        shut.request("GET", f"/clusters/{site.pk}/events", headers={"Cookie": cookie})
        answer = shut.getresponse()
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        _until_line(answer, b"event: beat")
        time.sleep(0.5)
        seen.observed(site, "one-stopped")
        asked = time.monotonic()
        SEEN.announce(str(site.pk))
        _until_line(answer, b"event: part")
    assert time.monotonic() - asked < 4  # less than the beat that would come anyway


def _until_line(answer: http.client.HTTPResponse, wanted: bytes) -> None:
    while line := answer.readline():
        if line.strip() == wanted:
            return
    raise AssertionError("the stream ended")
