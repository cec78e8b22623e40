"""Django's own command, which also finds the sentences of the domain."""

from django.core.management.commands import makemessages


class Command(makemessages.Command):
    # The domain imports no Django: its sentences are made by `say("…")` (nodes.domain.text).
    xgettext_options = [*makemessages.Command.xgettext_options, "--keyword=say"]
