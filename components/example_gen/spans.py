"""Spans in the names of files and folders.

Placeholders follow TFX: {SPAN} or {SPAN:WIDTH} is a number, {YYYY}, {MM} and {DD} together are a date counted in days
since 1970-01-01, and {VERSION} or {VERSION:WIDTH} is a number. Unlike TFX, names that fit the glob but not the
pattern are passed over, and a span is found however many zeros pad it.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from components.example_gen.data_files import matches
from components.example_gen.glob_pattern import SPAN_SPEC, compiled
from schemas.errors import DataError

_EPOCH = datetime.date(1970, 1, 1)
_DATE = ("YYYY", "MM", "DD")


@dataclass(frozen=True)
class FoundSpan:
    """A span that is there, its version (None without {VERSION}), and the pattern with its placeholders filled."""

    span: int
    version: int | None
    pattern: str


def has_span(pattern: str) -> bool:
    """Whether the pattern names spans.

    Raises:
        DataError: the pattern names them in a way that has no meaning.
    """
    names = [match["name"] for match in SPAN_SPEC.finditer(pattern)]
    dates = [name for name in names if name in _DATE]
    unknown = [name for name in names if name not in (*_DATE, "SPAN", "VERSION")]
    why = ""
    if unknown:
        why = f"it holds {{{unknown[0]}}}, which means nothing"
    elif len(set(names)) != len(names):
        why = "it names one thing twice"
    elif dates and len(dates) != len(_DATE):
        why = "a date needs all of {YYYY}, {MM} and {DD}"
    elif dates and "SPAN" in names:
        why = "it has both {SPAN} and a date"
    elif "VERSION" in names and not dates and "SPAN" not in names:
        why = "it has {VERSION} without {SPAN} or a date"
    if why:
        raise DataError(
            f"The pattern of the data cannot be used: {why}.",
            where="data.path",
            received=pattern,
            fix="Use {SPAN}, or {YYYY}, {MM} and {DD}, each once, and {VERSION} if need be: data/{YYYY}-{MM}-{DD}.csv",
        )
    return bool(names)


def shown_spans(numbers: Sequence[int], dated: bool) -> str:
    """Span numbers in words, with their dates where the pattern has dates."""
    spans = [shown_span(number, dated) for number in numbers]
    if len(spans) > 10:
        return f"{len(spans)} spans: {', '.join(spans[:3])}, ..., {', '.join(spans[-3:])}"
    return f"span{'s' * (len(spans) > 1)} {', '.join(spans)}"


def find_spans(base: str, pattern: str) -> list[FoundSpan]:
    """Everything that is there and fits the pattern, in no particular order.

    Args:
        base: a folder.
        pattern: what to find below it; has at least one placeholder.
    """
    regex = compiled(pattern)
    found: list[FoundSpan] = []
    for path in matches(base, SPAN_SPEC.sub("*", pattern)):
        match = regex.fullmatch(path)
        if match is None:
            continue
        tokens = match.groupdict()
        if "SPAN" in tokens:
            span = int(tokens["SPAN"])
        else:
            try:
                span = (datetime.date(*(int(tokens[name]) for name in _DATE)) - _EPOCH).days
            except ValueError:  # no such day
                continue
        version = int(tokens["VERSION"]) if "VERSION" in tokens else None
        filled = SPAN_SPEC.sub(lambda match: tokens[match["name"]], pattern)  # noqa: B023  (called at once)
        found.append(FoundSpan(span, version, filled))
    return found


def shown_span(span: int, dated: bool) -> str:
    """A span number, with its date where the pattern has dates."""
    if not dated:
        return str(span)
    try:
        return f"{span} ({_EPOCH + datetime.timedelta(days=span)})"
    except OverflowError:
        return str(span)
