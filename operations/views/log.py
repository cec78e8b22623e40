"""The log of a run over HTTP: a window by line number, the whole as text, and search."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    StreamingHttpResponse,
)
from django.utils.encoding import iri_to_uri
from django.views.decorators.http import require_GET

from clusterpanel.words import translated
from operations import log_search
from operations.domain import line_level
from operations.line_json import Names, line_json
from operations.models import JournalChunk, Run, RunStep
from operations.runtime import journal
from operations.views.common import is_active, run_or_404

WINDOW = 500  # lines, unless asked for another number
LARGEST_WINDOW = 5000
MOST_SINGLE = 200  # lines that lie far apart


def _number(request: HttpRequest, name: str, default: int, most: int) -> int:
    """A number of the query; anything else counts as not given."""
    try:
        value = int(request.GET.get(name, default))
    except ValueError:
        return default
    return max(0, min(value, most))


@require_GET
def run_log(request: HttpRequest, run_id: str) -> JsonResponse:
    """Lines `after` … `after + limit`, or `lines=3,70,900`, in the shape of the stream."""
    run = run_or_404(run_id)
    names = Names.of(run)
    found = _single(run, request.GET["lines"]) if "lines" in request.GET else _window(run, request)
    return JsonResponse(
        {"lines": [line_json(line, names) for line in found], "last_line": run.next_line - 1}
    )


def _window(run: Run, request: HttpRequest) -> list[journal.Line]:
    after = _number(request, "after", 0, 2**31)
    limit = _number(request, "limit", WINDOW, LARGEST_WINDOW)
    return journal.read(run.id, after=after, limit=limit, step=request.GET.get("step", ""))


def _single(run: Run, wanted: str) -> list[journal.Line]:
    """Lines that lie far apart, as those of a filter do; what is no number is passed over."""
    numbers = [int(n) for n in wanted.split(",") if n.isdecimal() and len(n) < 10][:MOST_SINGLE]
    return [
        line
        for number in numbers
        for line in journal.read(run.id, after=number - 1, limit=1)
        if line.number == number
    ]


@require_GET
def run_search(request: HttpRequest, run_id: str) -> JsonResponse:
    """How many lines contain `q`, whatever the case; colours do not count. Or with `level`: how many
    read like one. The numbers of all of them, or of those around line `near` when they are many.
    """
    run = run_or_404(run_id)
    near = _number(request, "near", 1, 2**31)
    level, needle = request.GET.get("level", ""), request.GET.get("q", "").strip()
    found = log_search.Found(run.next_line - 1)
    if level in (line_level.ERROR, line_level.WARNING):
        found = log_search.reading_like(run, level, near)
    elif needle:
        found = log_search.containing(run, needle, near)
    return JsonResponse(asdict(found))


@require_GET
def run_first_error(request: HttpRequest, run_id: str) -> JsonResponse:
    """The first line that reads like an error: in the failed step if there is one."""
    run = run_or_404(run_id)
    failed = RunStep.objects.filter(run=run, state="failed").first()
    return JsonResponse({"line": log_search.first_error(run, failed.key if failed else "")})


def segments(run: Run) -> list[tuple[int, int, str]]:
    """Which step each stretch of lines belongs to: (first, last, step), joined where they touch."""
    joined: list[tuple[int, int, str]] = []
    chunks = JournalChunk.objects.filter(run=run).order_by("first_line")
    for first, count, step in chunks.values_list("first_line", "line_count", "step_key"):
        last = first + count - 1
        if joined and joined[-1][2] == step and joined[-1][1] == first - 1:
            joined[-1] = (joined[-1][0], last, step)
        else:
            joined.append((first, last, step))
    return joined


@require_GET
def run_log_text(request: HttpRequest, run_id: str) -> HttpResponseBase:
    """Everything that the nodes printed, byte for byte.

    With `?step=`: that step's newest attempt and nothing else, equal to the log on the node.
    Without: every attempt of every step, each below one line that names it. 410: it was removed.
    """
    run = run_or_404(run_id)
    if run.log_removed:
        said = f"{translated(run.log_removed)}\n"
        return HttpResponse(said, status=410, content_type="text/plain; charset=utf-8")
    step = request.GET.get("step", "")
    if step:
        found = RunStep.objects.filter(run=run, key=step).first()
        if found is None:
            raise Http404
        body = journal.log_bytes(run.id, found.key, found.attempt)
    else:
        body = _whole_log(run)
    so_far = "-so-far" if is_active(run.state) else ""  # what is there now; the file says so
    name = f"{run.cluster.name}-{run.procedure}-{run.id}{so_far}.log".replace("/", "_")
    pieces = _one_by_one(body) if isinstance(request, ASGIRequest) else body
    response = StreamingHttpResponse(pieces, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{iri_to_uri(name)}"
    response["X-Content-Type-Options"] = "nosniff"
    return response


async def _one_by_one(body: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Under ASGI, Django would read a plain iterator to its end before it sends the first byte."""
    following = sync_to_async(lambda: next(body, None))
    while (piece := await following()) is not None:
        yield piece


def _whole_log(run: Run) -> Iterator[bytes]:
    for step in RunStep.objects.filter(run=run).order_by("position"):
        for attempt in range(1, step.attempt + 1):
            yield f"==> {step.key} on {step.node}, attempt {attempt}\n".encode()
            last = b""
            for part in journal.log_bytes(run.id, step.key, attempt):
                yield part
                last = part or last
            if last and not last.endswith(b"\n"):
                yield b"\n"
