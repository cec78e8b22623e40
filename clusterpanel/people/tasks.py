"""What the beat does for people."""

from __future__ import annotations

from celery import shared_task

from clusterpanel.people import open_sessions


@shared_task(ignore_result=True)
def forget_ended_sessions() -> None:
    open_sessions.forget_ended()
