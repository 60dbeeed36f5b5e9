"""Globs, and patterns with spans, as regular expressions."""

from __future__ import annotations

import re

WILD = re.compile(r"[*?\[]")
SPAN_SPEC = re.compile(r"\{(?P<name>[A-Za-z]+)(?::(?P<width>\d+))?\}")
_PARTS = re.compile(r"(\{[A-Za-z]+(?::\d+)?\}|\*\*/|\*\*|\*|\?|\[[^\]]*\])")
_WILDCARDS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
_DIGITS = {"YYYY": r"\d{4}", "MM": r"\d{2}", "DD": r"\d{2}"}


def compiled(pattern: str) -> re.Pattern[str]:
    """What the paths match that the pattern stands for; placeholders of spans are groups of their names."""
    return re.compile("".join(map(_regex, _PARTS.split(pattern))))


def _regex(part: str) -> str:
    spec = SPAN_SPEC.fullmatch(part)
    if spec:
        digits = _DIGITS.get(spec["name"]) or (rf"\d{{{spec['width']}}}" if spec["width"] else r"\d+")
        return f"(?P<{spec['name']}>{digits})"
    if part in _WILDCARDS:
        return _WILDCARDS[part]
    if part.startswith("[") and part.endswith("]") and len(part) > 2:
        return "[^" + part[2:] if part[1] == "!" else part
    return re.escape(part)
