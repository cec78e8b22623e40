"""The command that makes dpiui2 read its `.env` again, as the admin gives it.

With a cached configuration Laravel does not read `.env` at all (Laravel's documentation, chapter
"Configuration", "Configuration Caching"), and queue workers keep what they read when they started
("Queues", "Queue Workers and Deployment").
"""

from __future__ import annotations

from nodes.domain.refusal import Refusal
from nodes.domain.text import say

LIMIT = 1000
CACHED = "bootstrap/cache/config.php"  # below APP/backend
EXAMPLE = "php artisan config:cache && php artisan queue:restart"


def problem(command: str) -> Refusal | None:
    """What is wrong with it; "" is right and means that nothing is run."""
    if len(command) > LIMIT:
        why = say("The apply command has more than %(limit)s characters.", limit=LIMIT)
        fix = say("Put it into a script on the servers and name the script here.")
        return Refusal("apply_command_bad", why, fix, field="apply_command")
    if not command.isprintable():
        why = say("The apply command is more than one line, or has a character without a shape.")
        fix = say(
            "Write one line; join several commands with && so that the first failure ends it."
        )
        return Refusal("apply_command_bad", why, fix, field="apply_command")
    return None
