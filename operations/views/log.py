"""The log of a run over HTTP: a window by line number, the whole as text, and search."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from django.http import Http404, HttpRequest, JsonResponse, StreamingHttpResponse
from django.utils.encoding import iri_to_uri
from django.views.decorators.http import require_GET

from operations.line_json import Names, line_json
from operations.models import JournalChunk, Run, RunStep
from operations.plain_text import strip_escapes
from operations.runtime import journal
from operations.views.common import run_or_404

WINDOW = 500  # lines, unless asked for another number
LARGEST_WINDOW = 5000
MOST_FOUND = 10_000  # places a search names; more help nobody

# Words of a line that is worth looking at first when a step failed.
_ERROR = re.compile(
    r"\b(?:error|fatal|failed|failure|cannot|can't|denied|refused|no such|not found|"
    r"unable|timed? ?out|aborting|exception)\b",
    re.IGNORECASE,
)


def _number(request: HttpRequest, name: str, default: int, most: int) -> int:
    """A number of the query; anything else counts as not given."""
    try:
        value = int(request.GET.get(name, default))
    except ValueError:
        return default
    return max(0, min(value, most))


@require_GET
def run_log(request: HttpRequest, run_id: str) -> JsonResponse:
    """Lines `after` … `after + limit`, in the shape of the stream."""
    run = run_or_404(run_id)
    after = _number(request, "after", 0, 2**31)
    limit = _number(request, "limit", WINDOW, LARGEST_WINDOW)
    found = journal.read(run.id, after=after, limit=limit, step=request.GET.get("step", ""))
    names = Names.of(run)
    return JsonResponse(
        {"lines": [line_json(line, names) for line in found], "last_line": run.next_line - 1}
    )


@require_GET
def run_search(request: HttpRequest, run_id: str) -> JsonResponse:
    """The numbers of the lines that contain `q`, whatever the case; colours do not count."""
    needle = request.GET.get("q", "").strip().lower()
    run = run_or_404(run_id)
    found = _matching(run, lambda text: needle in text.lower()) if needle else iter(())
    numbers = [number for number, _ in zip(found, range(MOST_FOUND + 1), strict=False)]
    return JsonResponse({"numbers": numbers[:MOST_FOUND], "cut": len(numbers) > MOST_FOUND})


@require_GET
def run_first_error(request: HttpRequest, run_id: str) -> JsonResponse:
    """The first line that reads like an error: in the failed step if there is one."""
    run = run_or_404(run_id)
    failed = RunStep.objects.filter(run=run, state="failed").first()
    step = failed.key if failed else ""
    line = next(_matching(run, lambda text: bool(_ERROR.search(text)), step), None)
    return JsonResponse({"line": line})


def _matching(run: Run, holds: Callable[[str], bool], step: str = "") -> Iterator[int]:
    after = 0
    while lines := journal.read(run.id, after=after, limit=LARGEST_WINDOW, step=step):
        for line in lines:
            if line.kind == "output" and holds(strip_escapes(line.text)):
                yield line.number
        after = lines[-1].number


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
def run_log_text(request: HttpRequest, run_id: str) -> StreamingHttpResponse:
    """Everything that the nodes printed, byte for byte.

    With `?step=`: that step's newest attempt and nothing else, equal to the log on the node.
    Without: every attempt of every step, each below one line that names it.
    """
    run = run_or_404(run_id)
    step = request.GET.get("step", "")
    if step:
        found = RunStep.objects.filter(run=run, key=step).first()
        if found is None:
            raise Http404
        body = journal.log_bytes(run.id, found.key, found.attempt)
    else:
        body = _whole_log(run)
    name = iri_to_uri(f"{run.cluster.name}-{run.procedure}-{run.id}.log".replace("/", "_"))
    response = StreamingHttpResponse(body, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
    response["X-Content-Type-Options"] = "nosniff"
    return response


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
