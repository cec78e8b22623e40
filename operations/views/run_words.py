"""Every sentence that the scripts of the run page may show, in the reader's language."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext, ngettext

from operations.views.common import plural_forms


def words() -> dict[str, Any]:
    """By the names under which `static/js/run/*.js` ask for them."""
    return {**_connection(), **_log(), **_copying(), **_steps()}


def _connection() -> dict[str, Any]:
    return {
        "live": gettext("Live"),
        "ended": gettext("Ended"),
        "reconnecting": gettext("Reconnecting (%(seconds)s s, nothing is lost)"),
        "signed-out": gettext("Signed out"),
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
        "error": gettext("Error"),
        "warning": gettext("Warning"),
        "looking": gettext("Looking through the whole output…"),
        "only_errors": gettext("Only lines that read like an error: %(total)s"),
        "some_errors": gettext("The first %(shown)s of %(total)s lines that read like an error"),
        "not_yet": gettext(
            "Line %(line)s is not there yet, the newest is %(last)s; it will be shown"
        ),
        "no_line": gettext("There is no line %(line)s: this run has %(last)s"),
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


def _copying() -> dict[str, Any]:
    return {
        "picked": gettext("Lines %(first)s to %(last)s"),
        "picked_one": gettext("Line %(first)s"),
        "copy": plural_forms(lambda n: ngettext("Copy %(count)s line", "Copy %(count)s lines", n)),
        "copied": plural_forms(
            lambda n: ngettext("Copied %(count)s line", "Copied %(count)s lines", n)
        ),
        "too_many": gettext("%(count)s lines are too many to copy; download the log instead"),
        "not_copied": gettext("Could not copy: the panel or the browser refused"),
    }


def _steps() -> dict[str, Any]:
    return {
        "only": gettext("Only: %(step)s"),
        "attempt": gettext("attempt %(number)s"),
        "step_is": gettext("%(step)s: %(state)s"),
    }
