"""From the reports of all blocks to the one error that a user needs, the most basic fault first."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from fractions import Fraction

from components.example_gen.report import Found, Report
from schemas.errors import DataError, from_dict
from schemas.features import BinaryLabel, Dtype, IntegerLabel, Label, OneHotLabel
from schemas.iso_8601 import EXAMPLES
from schemas.raw_columns import RawColumns

_WORDS: dict[Dtype, str] = {"int": "whole numbers", "float": "numbers", "string": f"timestamps, such as {EXAMPLES}"}


_HINTS = (
    (re.compile(r"[+-]?\d{1,3}([,' ]\d{3})+(\.\d+)?"), "Numbers are read without separators of thousands (1234.5). "),
    (re.compile(r"[+-]?\d+,\d+"), "The decimal point is a point. "),
    (re.compile(r"true|false|yes|no", re.IGNORECASE), "Write 1 and 0, or read the words as text. "),
    (re.compile(r"\d{4}-\d\d-\d\d.*"), "Dates are read by {kind: timestamp, dtype: string}. "),
)


def check_report(
    report: Report,
    files: str,
    table: RawColumns,
    splits: Mapping[str, int],
    max_rejected_fraction: float = 0.0,
    missing: Sequence[str] = (),
) -> None:
    """Raises what is wrong with the data, if anything.

    Args:
        report: the reports of all blocks, put together.
        files: how to name the files.
        table: the feature table.
        splits: hash buckets of each split, by name.
        max_rejected_fraction: share of the rows that may be rejected.
        missing: texts that stand for a missing value.

    Raises:
        DataError: see the message.
    """
    if report.error:
        raise from_dict(report.error)
    if report.rejected_fraction > max_rejected_fraction:
        error = _first_fault(report, table, splits, missing)
        if max_rejected_fraction:
            error.received = f"{error.received}; {report.rejected} of {report.read} rows are rejected in all, " + (
                f"more than the {max_rejected_fraction:.4g} of them that data.max_rejected_fraction allows"
            )
        elif others := _other_kinds(report):
            error.received = f"{error.received}; {report.rejected} rows have faults in all, also {others}"
        if (share := _share(report)) is not None:
            which = "the row" if report.rejected == 1 else f"all {report.rejected} rows with faults"
            error.fix += f" data.max_rejected_fraction: {share} would leave out {which}."
        raise error
    if not report.read:
        raise DataError(
            "The data holds a header, but no row.", where=files, received="0 rows", fix="Give data with rows."
        )
    if table.label is not None and len(report.labels) < 2:
        received = f"{next(iter(report.labels), 'no label')} in all of {report.kept} rows"
        raise DataError(
            "There is only one class: nothing can be learned.",
            where=f"{files}, label{_by(table.label)}",
            received=received,
            fix="Check the label's definition and the data; both classes, or different numbers, must occur.",
        )
    for split, rows in report.written.items():
        if not rows:
            raise DataError(
                f"Split {split!r} is empty: there are too few rows.",
                where=files,
                received=f"{report.kept} {'row' if report.kept == 1 else 'rows'} for splits {dict(splits)}",
                fix=f"Give more rows{_more_buckets(table)}.",
            )
    for split, classes in report.classes.items():
        if len(classes) == 1:
            raise DataError(
                f"Split {split!r} holds one class only, although the data hold more.",
                where=f"{files}, label{_by(table.label)}",
                received=f"{classes[0]} in all of {report.written[split]} rows; all splits: {_counts(report.labels)}",
                fix=f"Give more rows of the rare classes{_more_buckets(table)}.",
            )


def _other_kinds(report: Report) -> str:
    """The kinds of fault but the first one, each with its first place."""
    kinds = {
        "another number of fields": report.ragged,
        "no JSON object": report.malformed,
        "a value that cannot be": next(iter(report.bad_values.values()), Found()),
        "no label": report.unlabelled,
        "no such label": report.bad_labels,
    }
    there = [f"{kind} ({_first(found)})" for kind, found in kinds.items() if found.count]
    return "; ".join(there[1:])


def _share(report: Report) -> str | None:
    """The share of rejected rows, rounded up to two digits; None where it would be all of them."""
    digits = 1 - math.floor(math.log10(report.rejected_fraction))
    share = math.ceil(Fraction(report.rejected, report.read) * 10**digits) / 10**digits
    return f"{share:.{digits}f}" if share < 1.0 else None


def _first_fault(report: Report, table: RawColumns, splits: Mapping[str, int], missing: Sequence[str]) -> DataError:
    if report.ragged.count:
        return DataError(
            f"{_rows(report.ragged.count)} not the number of fields that the header has.",
            where=_first(report.ragged),
            received=_listed(report.ragged),
            fix='Quote fields that hold the delimiter or a line end ("a, b"), and check that no line is cut off.',
        )
    if report.malformed.count:
        one = report.malformed.count == 1
        return DataError(
            f"{report.malformed.count} {'line is' if one else 'lines are'} no JSON object with one value a column.",
            where=_first(report.malformed),
            received=_listed(report.malformed),
            fix="Write one whole object a line (jq -c . FILE > NEW does), with each value as a member of its own.",
        )
    if table.split in report.bad_values:
        return _bad_splits(report.bad_values[table.split], table.split, splits)
    if report.bad_values:
        return _bad_values(report, table)
    if report.unlabelled.count:
        texts = ", ".join(repr(text) for text in missing if text)
        return DataError(
            f"{_rows(report.unlabelled.count)} no label: a column that the label reads is empty"
            f"{f', or has a text of data.missing_values ({texts})' if texts else ''}.",
            where=_first(report.unlabelled),
            received=_listed(report.unlabelled),
            fix="Set data.unlabelled: drop to leave such rows out (they are counted), or fill the column."
            f"{' Where such a text is a label, take it out of data.missing_values.' if texts else ''}",
        )
    return _bad_labels(report, table.label)


def _bad_splits(found: Found, column: str, splits: Mapping[str, int]) -> DataError:
    return DataError(
        f"Column {column!r} must name one of the splits {', '.join(splits)}; {_rows(found.count)} none of them.",
        where=f"{_first(found)}, column {column!r}",
        received=_listed(found),
        fix="Name the split in data.splits, or mend the column.",
    )


def _bad_values(report: Report, table: RawColumns) -> DataError:
    name, found = next(iter(report.bad_values.items()))
    dtype = table.columns[name]
    others = [f"{other!r} ({more.count})" for other, more in report.bad_values.items() if other != name]
    what = f"Column {name!r} must hold {_WORDS[dtype]}; {found.count} of its values"
    do = "is" if found.count == 1 else "are"
    more = f" Other columns too: {', '.join(others)}." if others else ""
    return DataError(
        f"{what} {do} {report.reasons[name]}.{more}",
        where=f"{_first(found)}, column {name!r}",
        received=_listed(found),
        fix=f"{_hint(text for *_, text in found.samples)}"
        "Mend the values, add such texts to data.missing_values if they mean 'missing', "
        f"{_other_reading(name, dtype, table)}",
    )


def _other_reading(name: str, dtype: Dtype, table: RawColumns) -> str:
    if table.readers[name] == "the label":
        return "or compare the column with a quoted text in label.expression."
    return f"or give the feature that reads {name!r} another {'kind' if dtype == 'string' else 'dtype'}."


def _hint(texts: Iterable[str]) -> str:
    """What people commonly write where a number belongs."""
    return next((hint for text in texts for pattern, hint in _HINTS if pattern.fullmatch(text.strip())), "")


def _bad_labels(report: Report, label: Label | None) -> DataError:
    if isinstance(label, OneHotLabel):
        unknown = dict(report.unknown.most_common())
        near = next((match[0] for name in unknown if (match := get_close_matches(name, label.classes, n=1))), None)
        counts = ", ".join(f"{name!r} ({n})" for name, n in list(unknown.items())[:10])
        return DataError(
            f"{_rows(report.bad_labels.count)} a label that is none of the classes.",
            where=_first(report.bad_labels),
            received=f"{counts}; classes are {', '.join(label.classes)}",
            fix=f"{f'Did you mean {near!r}? ' if near else ''}Add the names to label.classes, or mend the data.",
        )
    if isinstance(label, IntegerLabel):
        return DataError(
            f"{_rows(report.bad_labels.count)} a label outside 0 to {label.classes - 1}.",
            where=_first(report.bad_labels),
            received=_listed(report.bad_labels),
            fix="Set label.classes to one more than the largest class, or mend the data. Classes count from 0.",
        )
    return DataError(
        f"{_rows(report.bad_labels.count)} an infinite label.",
        where=_first(report.bad_labels),
        received=_listed(report.bad_labels),
        fix="Mend the data; or add such texts to data.missing_values and set data.unlabelled: drop.",
    )


def _more_buckets(table: RawColumns) -> str:
    return ", or give the split more hash buckets in data.splits" if table.split is None else ""


def _by(label: Label | None) -> str:
    if label is None:
        return ""
    return f" by {label.expression}" if isinstance(label, BinaryLabel) else f" {label.column!r}"


def _counts(labels: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in labels.most_common(5))


def _rows(count: int) -> str:
    return "1 row has" if count == 1 else f"{count} rows have"


def _first(found: Found) -> str:
    path, place, _ = found.samples[0]
    return f"{path}, {place}"


def _listed(found: Found) -> str:
    first = found.samples[0][0]
    shown = [f"{place}: {text}" if path == first else f"{path}, {place}: {text}" for path, place, text in found.samples]
    more = found.count - len(found.samples)
    return "; ".join(shown) + (f"; and {more} more" if more else "")
