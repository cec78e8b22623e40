"""Headers, cookies, sizes, and the sample files for a proxy and for systemd."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.people.made import PASSWORD, person
from tests.web import sites
from tests.web.made import HOSTILE, made_run, printed

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def ann() -> Client:
    client = Client()
    client.force_login(person("ann", "administrator"))
    return client


def checked(**env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True
    )


def test_with_https_the_deployment_check_finds_nothing() -> None:
    found = checked(HTTPS_ONLY="1")
    assert found.returncode == 0, found.stderr
    assert "security.W012" in checked(HTTPS_ONLY="0").stderr  # so it does look


def test_with_https_nothing_goes_over_plain_http(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = True, 31_536_000
    answer = Client().get("/sign-in/")
    assert answer.status_code == 301
    assert answer["Location"] == "https://testserver/sign-in/"
    answer = Client().get("/sign-in/", secure=True)
    assert answer["Strict-Transport-Security"] == "max-age=31536000"


def test_with_https_cookies_are_of_this_host_alone() -> None:
    words = "SESSION_COOKIE_NAME CSRF_COOKIE_NAME SESSION_COOKIE_SECURE CSRF_COOKIE_SECURE"
    words += " SESSION_COOKIE_PATH SESSION_COOKIE_DOMAIN SECURE_HSTS_INCLUDE_SUBDOMAINS"
    program = (
        f"from django.conf import settings as s; print([getattr(s, n) for n in {words.split()}])"
    )
    found = run_with(program, HTTPS_ONLY="1", HSTS_SUBDOMAINS="1")
    assert found == "['__Host-sessionid', '__Host-csrftoken', True, True, '/', None, True]"
    found = run_with(program, HTTPS_ONLY="0")
    assert found == "['sessionid', 'csrftoken', False, False, '/', None, False]"


def run_with(program: str, **env: str) -> str:
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, cwd=ROOT, env={**os.environ, **env}, capture_output=True)
    return ran.stdout.decode().strip()


def test_headers_of_every_page(ann: Client) -> None:
    for url in ("/account/", "/sign-in/", "/nowhere/", "/api/v1/clusters"):
        headers = ann.get(url).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe-inline" not in headers["Content-Security-Policy"]
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"


def test_cookies_are_for_this_site_alone() -> None:
    person("bob", "viewer", PASSWORD)
    client = Client()
    assert client.get("/sign-in/").cookies["csrftoken"]["samesite"] == "Lax"
    made = client.post("/sign-in/", {"username": "bob", "password": PASSWORD}).cookies["sessionid"]
    assert made["samesite"] == "Lax"
    assert made["httponly"]


def test_a_change_needs_the_csrf_token() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(person("ann", "administrator"))
    assert client.post("/people/", {"name": "eve", "role": "administrator"}).status_code == 403
    assert not User.objects.filter(username="eve").exists()


def test_what_is_sent_is_bounded(ann: Client) -> None:
    site = sites.fresh()
    big = {"ssh_private_key": "x" * 1_100_000, "ssh_username": "root", "ssh_port": "22"}
    url = f"/clusters/{site.pk}/install/access/"
    body = "&".join(f"{k}={v}" for k, v in big.items())
    kind = "application/x-www-form-urlencoded"
    assert ann.generic("POST", url, body, content_type=kind).status_code == 400
    many = "&".join(f"galera_peer_hosts=h{n}" for n in range(600))
    assert ann.generic("POST", "/clusters/new/", many, content_type=kind).status_code == 400


def test_what_a_server_printed_is_never_markup(ann: Client) -> None:
    run = made_run("failed", ["succeeded", "failed", "pending"])
    printed(run, run.plan.steps[1].key, HOSTILE)
    page = ann.get(f"/runs/{run.pk}/").content
    assert b"<script>alert" not in page
    log = ann.get(f"/runs/{run.pk}/log/")
    assert log.headers["Content-Type"] == "application/json"
    text = ann.get(f"/runs/{run.pk}/log.txt")
    assert text.headers["Content-Type"].startswith("text/plain")
    assert text.headers["Content-Disposition"].startswith("attachment")


def test_the_sample_proxy_takes_strong_ciphers_alone() -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    sample = (ROOT / "deploy" / "nginx.conf").read_text()
    assert "ssl_protocols       TLSv1.2 TLSv1.3;" in sample
    (wanted,) = re.findall(r"ssl_ciphers +(\S+);", sample)
    command = ["openssl", "ciphers", "-s", "-tls1_2", "-v", wanted]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(found) >= 4
    assert [line for line in found if "Kx=ECDH " not in line or "Mac=AEAD" not in line] == []


def test_the_sample_unit_is_understood_by_systemd() -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    unit = ROOT / "deploy" / "clusterpanel.service"
    ran = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True)
    known = ("is not executable", "Failed to", "SO_PASSCRED")  # /opt is empty here
    wrong = [line for line in ran.stderr.splitlines() if not any(k in line for k in known)]
    assert wrong == []
