"""Which spans a window holds, or why there is none."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from components.example_gen.spans import shown_spans
from configs.window import Window
from schemas.errors import DataError

RUN_ONE = "scalable-tf run -c FILE --set data.span=SPAN --to AnomalyGate"
"""What ingests, validates and accepts a span without training on it."""


def choose(
    window: Window,
    newest: int,
    *,
    accepted: Collection[int],
    ingested: Collection[int],
    is_first: bool,
    dated: bool = False,
) -> list[int]:
    """The accepted spans of a window, from the oldest.

    Args:
        window: the section of the settings.
        newest: the span of the run, which is accepted.
        accepted: spans that AnomalyGate has accepted.
        ingested: spans that were ingested, accepted or not.
        is_first: whether nothing was ingested that is older than the window. What it lacks before its first span is
            then no gap: there may never have been such a span.
        dated: whether spans are days, so that messages give dates.

    Raises:
        DataError: there are too many gaps, or too few spans.
    """
    numbers = window.numbers(newest) or range(newest % window.step, newest + 1, window.step)
    known = [number for number in ingested if number in numbers]
    first = min([newest, *known]) if is_first else numbers[0]
    wanted = numbers[numbers.index(first) :]
    there = [number for number in wanted if number in accepted or number == newest]
    gaps = [number for number in wanted if number not in accepted and number != newest]
    refused = [number for number in gaps if number in ingested]
    missing = [number for number in gaps if number not in ingested]
    if len(gaps) > window.max_gaps:
        raise DataError(
            f"The window has {len(gaps)} gap{'s' * (len(gaps) > 1)}, and window.max_gaps allows {window.max_gaps}.",
            where=f"SpanWindow of {shown_spans([newest], dated)}",
            received=_received(there, missing, refused, dated),
            fix=f"Ingest the missing spans, mend the refused ones (their runs say what is wrong), each with\n"
            f"    {RUN_ONE}\n"
            "or let a training do without them: raise window.max_gaps.",
        )
    if len(there) < window.minimum:
        raise DataError(
            f"The window has {len(there)} span{'s' * (len(there) > 1)}, and window.minimum asks for {window.minimum}.",
            where=f"SpanWindow of {shown_spans([newest], dated)}",
            received=_received(there, missing, refused, dated),
            fix=f"Ingest older spans, each with\n    {RUN_ONE}\nor wait for more, or lower window.minimum.",
        )
    return there


def _received(there: Sequence[int], missing: Sequence[int], refused: Sequence[int], dated: bool) -> str:
    parts = [f"accepted: {shown_spans(there, dated)}"]
    if missing:
        parts.append(f"never ingested: {shown_spans(missing, dated)}")
    if refused:
        parts.append(f"ingested, but not accepted by AnomalyGate: {shown_spans(refused, dated)}")
    return "; ".join(parts)
