"""Every sentence that the scripts of the run page may show, in the reader's language."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext, ngettext

from operations.views.common import plural_forms


def words() -> dict[str, Any]:
    """By the names under which `static/js/run/*.js` ask for them."""
    return {**_connection(), **_log(), **_steps()}


def _connection() -> dict[str, Any]:
    return {
        "live": gettext("Live"),
        "ended": gettext("Ended"),
        "reconnecting": gettext("Reconnecting (%(seconds)s s, nothing is lost)"),
        "signed-out": gettext("Signed out: reload the page to sign in again"),
        "replayed": plural_forms(
            lambda n: ngettext("Replayed %(count)s line", "Replayed %(count)s lines", n)
        ),
        "no_answer": gettext("The panel does not answer"),
        "attached": gettext(
            "Worker restarted at %(time)s, attached again to the running step on %(node)s."
            " No lines lost."
        ),
    }


def _log() -> dict[str, Any]:
    return {
        "behind": plural_forms(
            lambda n: ngettext("+%(count)s new line", "+%(count)s new lines", n)
        ),
        "found": gettext("%(at)s of %(total)s"),
        "nothing_found": gettext("Nothing found"),
        "no_error": gettext("No line of this run reads like an error"),
        "cut": gettext("… %(shown)s of %(length)s characters; the whole line is in the download"),
        "no_output": gettext("This run printed nothing"),
        "first_output": gettext(
            "Waiting for the first output from %(node)s (connected, job started)"
        ),
        "first_step": gettext("Waiting for a worker to begin the first step"),
    }


def _steps() -> dict[str, Any]:
    return {
        "only": gettext("Only: %(step)s"),
        "attempt": gettext("attempt %(number)s"),
        "step_is": gettext("%(step)s: %(state)s"),
    }
