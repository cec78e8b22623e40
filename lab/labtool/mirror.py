"""Where Debian packages come from: the same place this host takes its own from."""

import re
from pathlib import Path

RELEASE = "bookworm"  # MariaDB 10.11, Galera 26.4, GlusterFS 10.3
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_FALLBACK = "http://deb.debian.org/debian"
_SUITE = re.compile(rf"{RELEASE}(-updates|-security)?")
_ONE_LINE = re.compile(r"deb\s+(?:\[[^]]*]\s+)?(\S+)\s+(\S+)\s+(.*)")


def sources(etc: Path = Path("/etc/apt")) -> list[str]:
    """One-line sources of the release; other vendors' repositories on the host are left out."""
    texts = [path.read_text() for path in _source_files(etc)]
    found = [source for text in texts for source in _one_line(text) + _deb822(text)]
    usable = [
        f"deb [signed-by={_KEYRING}] {uri} {suite} main"
        for uri, suite, components in found
        if _SUITE.fullmatch(suite) and "main" in components
    ]
    return list(dict.fromkeys(usable)) or [f"deb [signed-by={_KEYRING}] {_FALLBACK} {RELEASE} main"]


def settings(etc: Path = Path("/etc/apt")) -> str:
    """The host's proxy and validity settings. Snippets that run host programs stay behind."""
    snippets = sorted((etc / "apt.conf.d").glob("*"))
    texts = [path.read_text(errors="replace") for path in snippets if path.is_file()]
    return "\n".join(text for text in texts if "Acquire::" in text and "Invoke" not in text)


def _source_files(etc: Path) -> list[Path]:
    parts = etc / "sources.list.d"
    candidates = [
        etc / "sources.list",
        *sorted(parts.glob("*.list")),
        *sorted(parts.glob("*.sources")),
    ]
    return [path for path in candidates if path.is_file()]


def _one_line(text: str) -> list[tuple[str, str, list[str]]]:
    matches = filter(None, map(_ONE_LINE.fullmatch, map(str.strip, text.splitlines())))
    return [(match[1], match[2], match[3].split()) for match in matches]


def _deb822(text: str) -> list[tuple[str, str, list[str]]]:
    found = []
    for stanza in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"^([A-Za-z-]+):[ \t]*(.*)$", stanza, re.MULTILINE))
        if (
            "deb" not in fields.get("Types", "").split()
            or fields.get("Enabled", "yes").lower() == "no"
        ):
            continue
        for uri in fields.get("URIs", "").split():
            components = fields.get("Components", "").split()
            found += [(uri, suite, components) for suite in fields.get("Suites", "").split()]
    return found
