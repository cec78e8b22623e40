"""The address of dpiui2's page becomes an argument of a command on the servers."""

from __future__ import annotations

import pytest

from nodes.domain.page_url import of_host, problem


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "https://{host}/",
        "http://{host}:8080/login?x=1",
        "https://{host}",
        "https://ui.example/",
    ],
)
def test_addresses_of_pages(pattern: str) -> None:
    assert problem(pattern) is None


@pytest.mark.parametrize(
    "pattern",
    ["{host}", "ftp://{host}/", "-o/etc/passwd", "https://{host}/ -o x", "https://{host}{host}/",
     "https://{name}/", "https://{host}/;reboot", "https://{host}/$(x)", "https://a@{host}/"],
)  # fmt: skip
def test_what_is_no_address(pattern: str) -> None:
    refusal = problem(pattern)
    assert refusal
    assert refusal.field == "page_url"


def test_a_host_takes_its_place() -> None:
    assert of_host("https://{host}/", "n1") == "https://n1/"
    assert of_host("https://{host}:8443/", "fd00::1") == "https://[fd00::1]:8443/"
    assert of_host("", "n1") == ""
