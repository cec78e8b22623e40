"""The base is fetched from where this host's own Debian packages come from."""

from pathlib import Path

from lab.labtool import mirror

DEB822 = """\
# a comment
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: https://other.example/node
Suites: nodistro
Components: main

Types: deb
Enabled: no
URIs: http://off.example/debian
Suites: bookworm
Components: main
"""
ONE_LINE = """\
deb [arch=amd64 signed-by=/k.gpg] http://old.example/debian bookworm main
# deb http://commented.example/debian bookworm main
deb https://cloud.example/apt cloud-sdk-bookworm main
deb-src http://src.example/debian bookworm main
"""


def etc_in(tmp_path: Path) -> Path:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "apt.conf.d").mkdir()
    return tmp_path


def uris(etc: Path) -> list[str]:
    return [" ".join(line.split()[2:4]) for line in mirror.sources(etc)]


def test_deb822_stanzas_are_read_and_strangers_left_out(tmp_path: Path) -> None:
    etc = etc_in(tmp_path)
    (etc / "sources.list.d" / "debian.sources").write_text(DEB822)
    wanted = "http://mirror.example/debian"
    assert uris(etc) == [f"{wanted} bookworm", f"{wanted} bookworm-updates"]


def test_one_line_sources_are_read_and_strangers_left_out(tmp_path: Path) -> None:
    etc = etc_in(tmp_path)
    (etc / "sources.list").write_text(ONE_LINE)
    assert uris(etc) == ["http://old.example/debian bookworm"]


def test_a_host_without_usable_sources_gets_debian_s_own(tmp_path: Path) -> None:
    assert uris(etc_in(tmp_path)) == ["http://deb.debian.org/debian bookworm"]


def test_proxy_and_validity_come_along_but_no_hook_of_the_host(tmp_path: Path) -> None:
    etc = etc_in(tmp_path)
    snippets = etc / "apt.conf.d"
    (snippets / "10proxy").write_text('Acquire::http::Proxy "http://proxy.example:3128";\n')
    (snippets / "20hook").write_text('Acquire::X "1";\nAPT::Update::Post-Invoke { "run-me"; };\n')
    (snippets / "30other").write_text('APT::Install-Recommends "true";\n')
    assert mirror.settings(etc) == 'Acquire::http::Proxy "http://proxy.example:3128";\n'
