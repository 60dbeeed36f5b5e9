"""From `data.path` to the files that one run reads: a file, a folder, a glob, or a pattern with spans.

Spans follow TFX: {SPAN} or {SPAN:WIDTH} is a number, {YYYY}, {MM} and {DD} together are a date counted in days since
1970-01-01, and {VERSION} or {VERSION:WIDTH} is a number of which the newest of a span wins. Unlike TFX, names that fit the
glob but not the pattern are passed over, and a span is found however many zeros pad it.
"""

from __future__ import annotations

import datetime
import glob
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from schemas.errors import DataError

CSV_SUFFIXES = (".csv", ".csv.gz")
_EPOCH = datetime.date(1970, 1, 1)
_SPEC = re.compile(r"\{(?P<name>[A-Za-z]+)(?::(?P<width>\d+))?\}")
_PARTS = re.compile(r"(\{[A-Za-z]+(?::\d+)?\}|\*\*|\*|\?|\[[^\]]*\])")
_DATE = ("YYYY", "MM", "DD")
_DIGITS = {"YYYY": r"\d{4}", "MM": r"\d{2}", "DD": r"\d{2}"}
_MAGIC = re.compile(r"[*?\[{]")


@dataclass(frozen=True)
class Inputs:
    """The files of one run, sorted by name, and the span and version that they belong to (0 and None without a pattern)."""

    base: str
    pattern: str
    files: tuple[str, ...]
    span: int = 0
    version: int | None = None


def split_path(path: str) -> tuple[str, str]:
    """Splits a `data.path` into a folder without wildcards and the pattern below it, without touching the disk."""
    parts = path.rstrip("/").split("/")
    fixed = 0
    while fixed < len(parts) - 1 and not _MAGIC.search(parts[fixed]):
        fixed += 1
    base = "/".join(parts[:fixed])
    if not base:
        base = "/" if path.startswith("/") else "."
    return base, "/".join(parts[fixed:])


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
            fix="Use {SPAN}, or {YYYY}, {MM} and {DD}, each once, and optionally {VERSION}: data/{YYYY}-{MM}-{DD}/trips.csv",
        )
    return bool(names)


def find_inputs(base: str, pattern: str, span: int | None = None) -> Inputs:
    """The files to read.

    Args:
        base: an existing folder or what should be one.
        pattern: what to find below it: a file, a folder, a glob, or a pattern with spans.
        span: the span to read; default: the newest. Only for patterns with spans.

    Raises:
        DataError: nothing is there, and what is there instead.
    """
    if not has_span(pattern):
        if span is not None:
            raise DataError(
                "A span is asked for, but the path of the data does not name spans.",
                where="data.span",
                received=f"span {span}, path {os.path.join(base, pattern)}",
                fix="Put {SPAN} or {YYYY}-{MM}-{DD} into data.path, or remove data.span.",
            )
        return Inputs(base, pattern, _files(os.path.join(base, pattern)))
    found = _candidates(base, pattern)
    numbers = sorted({number for number, _, _ in found})
    chosen = span if span is not None else (numbers[-1] if numbers else None)
    if chosen is None or chosen not in numbers:
        dated = "{YYYY}" in pattern
        wanted = "any span" if span is None else f"span {_shown(span, dated)}"
        raise DataError(
            f"No data was found for {wanted}.",
            where=os.path.join(base, pattern),
            received=_listed(numbers, dated) if numbers else f"no name that fits; {_whats_there(_existing(base))}",
            fix="Set data.span to one of the spans that are there, or wait for the data." if numbers else "Check data.path.",
        )
    version, tokens = max(((v, t) for number, v, t in found if number == chosen), key=lambda vt: -1 if vt[0] is None else vt[0])
    filled = _SPEC.sub(lambda match: tokens[match["name"]], pattern)
    return Inputs(base, filled, _files(os.path.join(base, filled)), chosen, version)


def _files(path: str) -> tuple[str, ...]:
    if not re.search(r"[*?\[]", path) or os.path.lexists(path):
        if os.path.isdir(path):
            return _folder(path)
        if not os.path.exists(path):
            raise _missing(path)
        files = [path]
    else:
        files = sorted(p for p in glob.glob(path, recursive=True) if not os.path.isdir(p))
        if not files:
            base, _ = split_path(path)
            raise DataError(
                "No file matches the pattern of the data.",
                where="data.path",
                received=path,
                fix=f"Check the pattern; {_whats_there(_existing(base))}",
            )
    for file in files:
        _check_readable(file)
    return tuple(files)


def _folder(path: str) -> tuple[str, ...]:
    try:
        names = sorted(os.listdir(path))
    except OSError as error:
        raise _unreadable(path, error) from error
    files = [
        os.path.join(path, name)
        for name in names
        if name.lower().endswith(CSV_SUFFIXES) and not name.startswith(".") and not os.path.isdir(os.path.join(path, name))
    ]
    if not files:
        raise DataError(
            "The folder of the data holds no CSV file.",
            where="data.path",
            received=path,
            fix=f"Put *.csv or *.csv.gz files there, or name a file or a glob; {_whats_there(path)}",
        )
    for file in files:
        _check_readable(file)
    return tuple(files)


def _check_readable(path: str) -> None:
    if not os.path.isfile(path):
        if not os.path.exists(path):
            raise _missing(path)
        raise DataError(
            "The data is not a regular file.", where="data.path", received=path, fix="Name a file, a folder or a glob of files."
        )
    try:
        with open(path, "rb"):
            pass
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str, error: OSError) -> DataError:
    return DataError(
        f"The data cannot be read: {error.strerror or error}.",
        where="data.path",
        received=path,
        fix="Check the permissions of the file and its folders.",
    )


def _missing(path: str) -> DataError:
    folder, name = os.path.split(path.rstrip("/"))
    folder = folder or "."
    if os.path.islink(path):
        return DataError(
            "The data is a link that leads nowhere.",
            where="data.path",
            received=f"{path} -> {os.readlink(path)}",
            fix="Mend the link or name the file itself.",
        )
    if not os.path.isdir(folder):
        there = _existing(folder)
        missing = os.path.relpath(folder, there).split(os.sep)[0]
        near = get_close_matches(missing, _names(there), n=1)
        hint = f"; did you mean {os.path.join(there, near[0])}?" if near else ""
        return DataError(
            "There is no such file: its folder does not exist.",
            where="data.path",
            received=path,
            fix=f"Check data.path; the last folder on the way that exists is {there}{hint}",
        )
    near = get_close_matches(name, _names(folder), n=1)
    hint = f"Did you mean {os.path.join(folder, near[0])}?" if near else f"Check data.path; {_whats_there(folder)}"
    return DataError("There is no such file.", where="data.path", received=path, fix=hint)


def _existing(folder: str) -> str:
    while folder and not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return folder or "."


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _whats_there(folder: str) -> str:
    names = _names(folder)
    if not names:
        return f"{folder} is empty."
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{folder} holds {', '.join(names[:5])}{more}."


def _candidates(base: str, pattern: str) -> list[tuple[int, int | None, Mapping[str, str]]]:
    """(span, version, text of each placeholder) of everything on the disk that fits the pattern."""
    parts = _PARTS.split(pattern)
    wildcard = os.path.join(glob.escape(base), "".join(_SPEC.sub("*", part) for part in parts))
    regex = re.compile("".join(_regex(part) for part in parts))
    found: list[tuple[int, int | None, Mapping[str, str]]] = []
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
        found.append((span, int(tokens["VERSION"]) if "VERSION" in tokens else None, tokens))
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


def _listed(numbers: Iterable[int], dated: bool) -> str:
    spans = [_shown(number, dated) for number in numbers]
    if len(spans) > 10:
        return f"{len(spans)} spans: {', '.join(spans[:3])}, ..., {', '.join(spans[-3:])}"
    return f"spans {', '.join(spans)}"
