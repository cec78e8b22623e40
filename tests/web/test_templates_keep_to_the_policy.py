"""No inline script or style, nothing from another host: else the browser would refuse it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template

ROOT = Path(settings.BASE_DIR)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SHEETS_AND_SCRIPTS = sorted(
    path for kind in ("css", "js", "svg") for path in (ROOT / "static").rglob(f"*.{kind}")
)
FORBIDDEN = {
    "a script in the page": re.compile(r"<script(?![^>]*\bsrc=)", re.I),
    "a style element": re.compile(r"<style\b", re.I),
    "a style attribute": re.compile(r"""\sstyle\s*=\s*["']""", re.I),
    "a script attribute": re.compile(r"""\son[a-z]+\s*=\s*["']""", re.I),
    "htmx code that needs eval": re.compile(r"""hx-on|["']js:|hx-trigger="[^"]*\["""),
    "a javascript: address": re.compile(r"javascript:", re.I),
    "an asset of another host": re.compile(
        r"""(?:src|href|action)\s*=\s*["'](?:https?:)?//""", re.I
    ),
}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_template_compiles_and_keeps_to_the_policy(path: Path) -> None:
    get_template(str(path.relative_to(ROOT / "templates")))
    text = path.read_text()
    assert [what for what, found in FORBIDDEN.items() if found.search(text)] == []


@pytest.mark.parametrize("path", SHEETS_AND_SCRIPTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_static_file_names_no_other_host(path: Path) -> None:
    text = path.read_text().replace("http://www.w3.org/", "")
    assert not re.search(r"https?://|@import|url\(\s*['\"]?//", text)


@pytest.mark.parametrize("path", SHEETS_AND_SCRIPTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_script_does_not_evaluate_text_or_write_markup(path: Path) -> None:
    assert not re.search(r"\beval\(|new Function|\.innerHTML|outerHTML\s*=", path.read_text())


def test_every_icon_that_a_template_names_exists() -> None:
    icons = set(re.findall(r'id="([a-z]+)"', (ROOT / "static/img/icons.svg").read_text()))
    named = {
        name
        for path in TEMPLATES
        for name in re.findall(r'{% (?:icon) "([a-z]+)"', path.read_text())
    }
    assert named
    assert named <= icons
