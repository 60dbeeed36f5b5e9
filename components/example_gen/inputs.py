"""From `data.path` to the files that one run reads: a file, a folder, a glob, or a pattern with spans."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from components.example_gen.files import list_files, whats_there
from components.example_gen.spans import find_spans, has_span, shown_spans
from configs.data import Source
from schemas.errors import DataError

_MAGIC = re.compile(r"[*?\[{]")


@dataclass(frozen=True)
class Place:
    """What one run reads, and in which format.

    Span and version are chosen (0 and None where the path names none) and out of the pattern.
    """

    base: str
    pattern: str
    span: int = 0
    version: int | None = None
    source: Source = "csv"

    @property
    def path(self) -> str:
        """A file, a folder or a glob."""
        return os.path.join(self.base, self.pattern)

    @property
    def files(self) -> tuple[str, ...]:
        """The files, sorted by name.

        Raises:
            DataError: there are none.
        """
        return list_files(self.path, self.source)


def split_path(path: str) -> tuple[str, str]:
    """Splits a `data.path` into a folder without wildcards and the pattern below it, without touching the disk."""
    parts = path.rstrip("/").split("/")
    fixed = 3 if "://" in path else 0  # scheme and bucket or host are no pattern
    while fixed < len(parts) - 1 and not _MAGIC.search(parts[fixed]):
        fixed += 1
    base = "/".join(parts[:fixed])
    if base.endswith("//"):  # file:///data.csv
        base += "/"
    if not base:
        base = "/" if path.startswith("/") else "."
    return base, "/".join(parts[fixed:])


def find_place(base: str, pattern: str, span: int | None = None, source: Source = "csv") -> Place:
    """Where the data of one run is.

    Args:
        base: an existing folder or what should be one.
        pattern: what to find below it: a file, a folder, a glob, or a pattern with spans.
        span: the span to read; default: the newest. Only for patterns with spans.
        source: the format of the files.

    Raises:
        DataError: there is no such span, and which there are instead.
    """
    if not has_span(pattern):
        if span is not None:
            raise DataError(
                "A span is asked for, but the path of the data does not name spans.",
                where="data.span",
                received=f"span {span}, path {os.path.join(base, pattern)}",
                fix="Put {SPAN} or {YYYY}-{MM}-{DD} into data.path, or remove data.span.",
            )
        return Place(base, pattern, source=source)
    found = find_spans(base, pattern)
    numbers = sorted({each.span for each in found})
    chosen = span if span is not None else (numbers[-1] if numbers else None)
    if chosen is None or chosen not in numbers:
        dated = "{YYYY}" in pattern
        wanted = "any span" if span is None else shown_spans([span], dated)
        raise DataError(
            f"No data was found for {wanted}.",
            where=os.path.join(base, pattern),
            received=shown_spans(numbers, dated) if numbers else f"no name that fits; {whats_there(base)}",
            fix="Set data.span to one of the spans that are there, or wait for the data."
            if numbers
            else "Check data.path.",
        )
    version = max((each.version for each in found if each.span == chosen), key=lambda version: version or 0)
    names = sorted({each.pattern for each in found if (each.span, each.version) == (chosen, version)})
    if len(names) > 1:
        raise DataError(
            "Two names stand for one span.",
            where=os.path.join(base, pattern),
            received=", ".join(names),
            fix="Keep one of them, or give the placeholder a width, such as {SPAN:3}.",
        )
    return Place(base, names[0], chosen, version, source)
