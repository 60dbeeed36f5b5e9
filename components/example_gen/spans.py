"""Spans in the names of files and folders.

Placeholders follow TFX: {SPAN} or {SPAN:WIDTH} is a number, {YYYY}, {MM} and {DD} together are a date counted in days
since 1970-01-01, and {VERSION} or {VERSION:WIDTH} is a number. Unlike TFX, names that fit the glob but not the
pattern are passed over, and a span is found however many zeros pad it.
"""

from __future__ import annotations

import datetime
import glob
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.errors import DataError

_EPOCH = datetime.date(1970, 1, 1)
_SPEC = re.compile(r"\{(?P<name>[A-Za-z]+)(?::(?P<width>\d+))?\}")
_PARTS = re.compile(r"(\{[A-Za-z]+(?::\d+)?\}|\*\*|\*|\?|\[[^\]]*\])")
_DATE = ("YYYY", "MM", "DD")
_DIGITS = {"YYYY": r"\d{4}", "MM": r"\d{2}", "DD": r"\d{2}"}


@dataclass(frozen=True)
class FoundSpan:
    """A span on the disk, its version (None without {VERSION}), and the pattern with its placeholders filled."""

    span: int
    version: int | None
    pattern: str


def has_span(pattern: str) -> bool:
    """Whether the pattern names spans.

    Raises:
        DataError: the pattern names them in a way that has no meaning.
    """
    names = [match["name"] for match in _SPEC.finditer(pattern)]
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
    spans = [_shown(number, dated) for number in numbers]
    if len(spans) > 10:
        return f"{len(spans)} spans: {', '.join(spans[:3])}, ..., {', '.join(spans[-3:])}"
    return f"span{'s' * (len(spans) > 1)} {', '.join(spans)}"


def find_spans(base: str, pattern: str) -> list[FoundSpan]:
    """Everything on the disk that fits the pattern, in no particular order.

    Args:
        base: a folder.
        pattern: what to find below it; has at least one placeholder.
    """
    parts = _PARTS.split(pattern)
    wildcard = os.path.join(glob.escape(base), "".join(_SPEC.sub("*", part) for part in parts))
    regex = re.compile("".join(_regex(part) for part in parts))
    found: list[FoundSpan] = []
    for path in glob.glob(wildcard, recursive=True):
        match = regex.fullmatch(os.path.relpath(path, base))
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
        filled = _SPEC.sub(lambda match: tokens[match["name"]], pattern)  # noqa: B023  (called at once)
        found.append(FoundSpan(span, version, filled))
    return found


def _regex(part: str) -> str:
    spec = _SPEC.fullmatch(part)
    if spec:
        digits = _DIGITS.get(spec["name"]) or (rf"\d{{{spec['width']}}}" if spec["width"] else r"\d+")
        return f"(?P<{spec['name']}>{digits})"
    if part == "**":
        return ".*"
    if part == "*":
        return "[^/]*"
    if part == "?":
        return "[^/]"
    if part.startswith("[") and part.endswith("]") and len(part) > 2:
        return "[^" + part[2:] if part[1] == "!" else part
    return re.escape(part)


def _shown(span: int, dated: bool) -> str:
    if not dated:
        return str(span)
    try:
        return f"{span} ({_EPOCH + datetime.timedelta(days=span)})"
    except OverflowError:
        return str(span)
