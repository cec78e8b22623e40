"""The address of dpiui2's own page on a server, as the admin gives it: `https://{host}/`."""

from __future__ import annotations

import re

from nodes.domain.refusal import Refusal
from nodes.domain.text import say

# It becomes an argument of a command on the server: what could be an option is not among these.
_PATTERN = re.compile(r"https?://[A-Za-z0-9{}.:_\[\]-]+(/[A-Za-z0-9._~/%?&=+-]*)?")


def problem(pattern: str) -> Refusal | None:
    """What is wrong with it; "" is right and means that nobody asks."""
    if len(pattern) > 255:
        return _refusal(pattern[:255])
    if not pattern or (_PATTERN.fullmatch(pattern) and pattern.count("{host}") <= 1):
        left = pattern.replace("{host}", "")
        if "{" not in left and "}" not in left:
            return None
    return _refusal(pattern)


def _refusal(pattern: str) -> Refusal:
    return Refusal(
        "page_url_bad",
        say("“%(pattern)s” is not the address of a page.", pattern=pattern),
        say("Write it like `https://{host}/`; {host} stands for each server."),
        field="page_url",
    )


def of_host(pattern: str, host: str) -> str:
    """The address on one server; an IPv6 address gets its brackets. "" stays ""."""
    return pattern.replace("{host}", f"[{host}]" if ":" in host else host)
