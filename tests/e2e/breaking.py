"""Things that break on a real server, how to mend them, and the words that a dashboard must say."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

from tests.e2e import steps
from tests.e2e.node import Node, nodes_of
from tests.e2e.panel import Client, Panel
from tests.lab_fixture import lab_tool

BACKEND = "/var/www/html/dpiui2/backend"
SHOWN = """([place, words]) => {
  const found = document.querySelector(place);
  return found !== null && new RegExp(words, "s").test(found.textContent);
}"""


@dataclass(frozen=True)
class Site:
    """A healthy cluster of three lab servers. What breaks is the last server."""

    lab: dict[str, Any]
    cluster: int

    @property
    def last(self) -> Node:
        return nodes_of(self.lab)[-1]

    def cut_power(self) -> None:
        self._tool("crash")

    def power_on(self) -> None:
        """And what the page then says to do, should its mount not come by itself."""
        self._tool("boot")
        self.last.run(
            f"findmnt {BACKEND}/storage || mount {BACKEND}/storage",
            may_break=True,
        )

    def fall_silent(self) -> None:
        """No packet in or out, so nobody hears a refusal either; for SILENT_S, then as before."""
        link = "$(ip -o link show type veth | sed -n 's/^[0-9]*: \\([^@:]*\\).*/\\1/p' | head -n 1)"
        script = (
            f"sleep .2; link={link}; ip link set $link down; sleep {SILENT_S}; ip link set $link up"
        )
        self.last.run(f"systemd-run --quiet sh -c {shlex.quote(script)}")

    def _tool(self, verb: str) -> None:
        lab_tool(self.lab["name"], verb, self.lab["nodes"][-1]["name"])


@dataclass(frozen=True)
class Breakage:
    """`place` and `words`: a selector, and what its text must match once it is broken. `goal_s`:
    seconds from breaking it to these words, p95."""

    name: str
    goal_s: float
    breaks: Callable[[Site], object]
    mends: Callable[[Site], object]
    place: str
    words: str


def on_last(command: str) -> Callable[[Site], object]:
    return lambda site: site.last.run(command, may_break=True)


SILENT_S = 15
NODE = "#node-3"
ATTENTION = '[data-part="attention"]'
BREAKAGES = (
    Breakage(
        "mysqld killed",
        3,
        on_last("systemctl kill -s KILL mariadb; systemctl stop mariadb"),
        on_last("systemctl reset-failed mariadb; systemctl start mariadb"),
        NODE,
        "Stopped|Crashed",
    ),
    Breakage(
        "brick killed",
        15,
        on_last("pkill -KILL glusterfsd"),
        on_last("gluster --mode=script volume start dpiui2 force"),
        ATTENTION,
        "not .*:/data/brick1",
    ),
    Breakage(
        "storage unmounted",
        3,
        on_last(f"umount -l {BACKEND}/storage"),
        on_last(f"mount {BACKEND}/storage"),
        NODE,
        "[Nn]ot mounted",
    ),
    Breakage(
        ".env edited by hand",
        3,
        on_last(f"sed -i 's/^CLUSTER_PRIMARY_HOST=/&10.0.0.99 #/' {BACKEND}/.env"),
        on_last(f"sed -i 's/10.0.0.99 #//' {BACKEND}/.env"),
        ATTENTION,
        "CLUSTER_PRIMARY_HOST",
    ),
    Breakage("server powered off", 8, Site.cut_power, Site.power_on, NODE, r"Galera\s*Unknown"),
    Breakage("server silent", 8, Site.fall_silent, lambda site: None, NODE, r"Galera\s*Unknown"),
)


def adopted(panel: Panel, lab: dict[str, Any]) -> tuple[Client, Site]:
    """A cluster that was installed before, as a fresh panel takes it over."""
    client = panel.client()
    cluster = steps.create_cluster(client, lab, "Broken")
    steps.trust_all(client, cluster, lab)
    steps.run_to_success(client, cluster, "create_monitor_account")
    return client, Site(lab, cluster)


def open_dashboard(page: Page, panel: Panel, site: Site, patience_s: float) -> None:
    page.goto(f"{panel.url}/clusters/{site.cluster}/")
    wait_until_well(page, patience_s)


def wait_until_well(page: Page, patience_s: float) -> float:
    """Seconds until the page says Healthy."""
    return wait_for(page, "#verdict-word", "Healthy", patience_s)


def says(text: str, words: str) -> bool:
    return re.search(words, text, re.DOTALL) is not None


def seconds_until_shown(page: Page, site: Site, breakage: Breakage, patience_s: float) -> float:
    """From before the act that breaks it to the words on the page."""
    began = time.monotonic()
    breakage.breaks(site)
    wait_for(page, breakage.place, breakage.words, patience_s)
    return time.monotonic() - began


def wait_for(page: Page, place: str, words: str, patience_s: float) -> float:
    """Raises Playwright's TimeoutError when it is not shown in time."""
    began = time.monotonic()
    page.wait_for_function(SHOWN, arg=[place, words], polling=50, timeout=1000 * patience_s)
    return time.monotonic() - began
