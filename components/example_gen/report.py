"""What a block reports besides its shards: counts, types, and everything that is wrong with its rows.

A Beam job can only return what it writes, and an error raised on a remote worker arrives as text. So each block
leaves a report beside its shards, and the executor puts them together: one message can then count the bad values of
all files.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from components.example_gen.values import ValueType, wider

SAMPLES = 5


@dataclass
class Found:
    """Something wrong, with its number and the first few: (file, place in it such as `line 3`, text received)."""

    count: int = 0
    samples: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, count: int, samples: Iterable[tuple[str, str, str]]) -> None:
        """Adds what another piece or block has found after this one."""
        self.count += count
        self.samples = [*self.samples, *samples][:SAMPLES]


@dataclass
class Report:
    """Counts of rows, the types that undeclared columns need, the label's values, and what was found wrong.

    `classes` are up to two classes of each split, enough to tell whether there is more than one; `filled` is the number
    of rows that have a value of each declared column; `unknown` counts labels that are no class.
    """

    read: int = 0
    dropped: int = 0
    rejected: int = 0
    written: dict[str, int] = field(default_factory=dict)
    types: dict[str, ValueType] = field(default_factory=dict)
    labels: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    classes: dict[str, list[str]] = field(default_factory=dict)
    filled: dict[str, int] = field(default_factory=dict)
    ragged: Found = field(default_factory=Found)
    malformed: Found = field(default_factory=Found)
    unlabelled: Found = field(default_factory=Found)
    bad_labels: Found = field(default_factory=Found)
    bad_values: dict[str, Found] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    error: dict[str, str | None] | None = None

    def add(self, other: Report) -> None:
        """Puts a later block's report to this one."""
        self.read += other.read
        self.dropped += other.dropped
        self.rejected += other.rejected
        for split, rows in other.written.items():
            self.written[split] = self.written.get(split, 0) + rows
        for name, kind in other.types.items():
            self.types[name] = wider(self.types.get(name, "none"), kind)
        self.labels.update(other.labels)
        self.unknown.update(other.unknown)
        for split, classes in other.classes.items():
            self.add_classes(split, classes)
        for name, count in other.filled.items():
            self.filled[name] = self.filled.get(name, 0) + count
        for mine, theirs in (
            (self.ragged, other.ragged),
            (self.malformed, other.malformed),
            (self.unlabelled, other.unlabelled),
            (self.bad_labels, other.bad_labels),
        ):
            mine.add(theirs.count, theirs.samples)
        for name, found in other.bad_values.items():
            self.add_bad_values(name, found.count, found.samples, other.reasons[name])
        self.error = self.error or other.error

    def add_classes(self, split: str, classes: Iterable[str]) -> None:
        """Adds classes that rows of a split have."""
        self.classes[split] = sorted({*self.classes.get(split, ()), *classes})[:2]

    def add_bad_values(self, name: str, count: int, samples: Iterable[tuple[str, str, str]], reason: str) -> None:
        """Adds values of a column that cannot be converted to its type."""
        self.bad_values.setdefault(name, Found()).add(count, samples)
        self.reasons.setdefault(name, reason)

    @property
    def sound(self) -> bool:
        """Whether nothing was found wrong."""
        return not (self.error or self.rejected)

    @property
    def rejected_fraction(self) -> float:
        """Share of the rows that are rejected."""
        return self.rejected / self.read if self.read else 0.0

    @property
    def kept(self) -> int:
        """Rows that are neither rejected nor dropped."""
        return self.read - self.rejected - self.dropped

    def to_json(self) -> str:
        """The report as text; `from_json` takes it back."""
        return json.dumps(vars(self), default=vars)

    @classmethod
    def from_json(cls, text: str) -> Report:
        """The report that `to_json` wrote."""
        fields = json.loads(text)
        for name in ("ragged", "malformed", "unlabelled", "bad_labels"):
            fields[name] = _found(fields[name])
        fields["bad_values"] = {name: _found(found) for name, found in fields["bad_values"].items()}
        fields["labels"], fields["unknown"] = Counter(fields["labels"]), Counter(fields["unknown"])
        return cls(**fields)


def _found(fields: dict[str, Any]) -> Found:
    return Found(fields["count"], [(path, place, text) for path, place, text in fields["samples"]])
