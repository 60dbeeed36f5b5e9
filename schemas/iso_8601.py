"""Timestamps as text: the ISO 8601 that Transform reads and that ingestion insists on."""

from __future__ import annotations

_TIME = r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d(?:\.\d+)?))?"
_ZONE = r"(?:[Zz]|(?:\+|(-))([01]\d|2[0-3]):?([0-5]\d))?"
ISO_8601 = rf"^\s*(\d{{4}})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(?:[Tt ]{_TIME}\s*{_ZONE})?\s*$"
"""A regular expression in RE2's syntax, which TensorFlow and Arrow share. Groups: year, month, day, hour, minute,
second, the minus of the offset, its hours and its minutes. The month may still not have such a day."""
EXAMPLES = "2022-05-16 or 2022-05-16T08:30:00Z"
"""For messages."""
