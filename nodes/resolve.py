"""Which addresses host names have, as the panel's own machine sees it."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, wait

TIMEOUT_S = 3.0


def addresses_of(hosts: Iterable[str], timeout_s: float = TIMEOUT_S) -> dict[str, str]:
    """Host to its address in canonical form. A name that does not resolve in time is missing.

    The resolver has no time limit of its own, so each name is asked in a thread; one that hangs
    is left to end by itself.
    """
    found: dict[str, str] = {}
    names = []
    for host in dict.fromkeys(hosts):
        try:
            found[host] = str(ipaddress.ip_address(host))
        except ValueError:
            names.append(host)
    return found | _resolved(names, timeout_s) if names else found


def _resolved(names: list[str], timeout_s: float) -> dict[str, str]:
    pool = ThreadPoolExecutor(len(names), "resolve")
    asked = {pool.submit(_lookup, name): name for name in names}
    done, _ = wait(asked, timeout_s)
    pool.shutdown(wait=False, cancel_futures=True)
    answers = {asked[future]: future.result() for future in done}
    return {name: address for name, address in answers.items() if address}


def _lookup(name: str) -> str:
    try:
        answers = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ""
    return str(answers[0][4][0])
