"""YAML with the place of every value, read by the rules of YAML 1.2.

Unlike PyYAML's own loaders: `1e-3` is a number; `yes`, `no`, `on`, `off`, dates and `12:30` are text; keys are always
text; a key written twice is a mistake; `012`, which is 10 in YAML 1.1 and 12 in 1.2, is a mistake; tags other than the
core ones are mistakes; nesting and aliases are bounded. Anchors, aliases and the merge key `<<` work.

Source of the rules: YAML 1.2.2, section 10.3 (core schema), https://yaml.org/spec/1.2.2/#103-core-schema
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import yaml
from yaml import events

from configs.reading.located import Located, Mistake, Path, Place, Scalar, mistake
from configs.secret import mask_passwords
from schemas.errors import SettingsError

try:
    from yaml import CSafeLoader as Loader
except ImportError:  # PyYAML built without libyaml: the same events, ten times slower
    from yaml import SafeLoader as Loader  # type: ignore[assignment]

MAX_DEPTH = 50
MAX_VALUES = 1_000_000

_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_AMBIGUOUS = re.compile(r"[-+]?0[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_NOT_TEXT = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CORE = "tag:yaml.org,2002:"


def parse_yaml(text: str, source: str, *, one_line: bool = False) -> tuple[Located, list[Mistake]]:
    """The value that a YAML text describes, and the mistakes that did not keep it from being read.

    Args:
        text: one YAML document; an empty one is null.
        source: the name of the text in places.
        one_line: places have no line, as for a value given on the command line.

    Raises:
        SettingsError: the text is not YAML, holds several documents, nests too deep or expands to too much.
    """

    def place(line: int, column: int) -> Place:
        return Place(source) if one_line else Place(source, line + 1, column + 1)

    if found := _NOT_TEXT.search(text):
        start = found.start()
        raise SettingsError(
            "The settings hold a character that is not text.",
            where=str(place(text.count("\n", 0, start), start - text.rfind("\n", 0, start) - 1)),
            received=f"U+{ord(found.group()):04X}",
            fix="Remove it, or write it as an escape in double quotes.",
        )
    builder = _Builder(yaml.parse(text, Loader=Loader), place)
    try:
        return builder.document(), builder.mistakes
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "it cannot be parsed"
        raise SettingsError(
            f"The settings are not valid YAML: {problem}.",
            where=str(place(mark.line, mark.column)) if mark else source,
            fix=_syntax_fix(text, mark, one_line),
        ) from error


class _Builder:
    """Builds located values from parser events; a class because it holds the events, the anchors and the mistakes."""

    def __init__(self, stream: Iterator[Any], place: Callable[[int, int], Place]) -> None:
        self._stream = stream
        self._place = place
        self._anchors: dict[str, Located] = {}
        self._sizes: dict[int, tuple[int, int]] = {}
        self.mistakes: list[Mistake] = []

    def document(self) -> Located:
        next(self._stream)  # the start of the stream
        if isinstance(event := next(self._stream), events.StreamEndEvent):
            return Located(None, self._at(event))
        value = self._value(next(self._stream), ())
        next(self._stream)  # the end of the document
        if not isinstance(event := next(self._stream), events.StreamEndEvent):
            raise SettingsError(
                "The settings hold more than one YAML document.",
                where=str(self._at(event)),
                fix="Remove the line '---', or put each document into a file of its own (-c FIRST -c SECOND).",
            )
        return value

    def _at(self, event: Any) -> Place:
        return self._place(event.start_mark.line, event.start_mark.column)

    def _value(self, event: Any, path: Path) -> Located:
        if isinstance(event, events.AliasEvent):
            if event.anchor not in self._anchors:
                raise SettingsError(
                    f"The alias *{event.anchor} has no finished value with the anchor &{event.anchor} before it.",
                    where=self._at(event).at(path),
                )
            return self._anchors[event.anchor]
        if len(path) > MAX_DEPTH:
            raise SettingsError(f"The settings nest deeper than {MAX_DEPTH} levels.", where=str(self._at(event)))
        if isinstance(event, events.ScalarEvent):
            value = Located(self._scalar(event, path), self._at(event))
            size = (1, 0)
        else:
            kind = "seq" if isinstance(event, events.SequenceStartEvent) else "map"
            if event.tag not in (None, "!", _CORE + kind):
                self._unknown_tag(event, path)
            found = self._list(event, path) if kind == "seq" else self._mapping(event, path)
            value = Located(found, self._at(event))
            children = list(found.values()) if isinstance(found, dict) else found
            sizes = [
                self._sizes[id(child.value)] if isinstance(child.value, (dict, list)) else (1, 0) for child in children
            ]
            size = (1 + sum(size for size, _ in sizes), 1 + max((depth for _, depth in sizes), default=0))
            self._sizes[id(found)] = size
        if size[0] > MAX_VALUES or size[1] > MAX_DEPTH:
            raise SettingsError(
                f"The aliases expand to more than {MAX_VALUES} values or {MAX_DEPTH} levels.",
                where=self._at(event).at(path),
            )
        if event.anchor is not None:
            self._anchors[event.anchor] = value
        return value

    def _list(self, start: Any, path: Path) -> list[Located]:
        items: list[Located] = []
        while not isinstance(event := next(self._stream), events.SequenceEndEvent):
            items.append(self._value(event, (*path, len(items))))
        return items

    def _mapping(self, start: Any, path: Path) -> dict[str, Located]:
        entries: dict[str, Located] = {}
        inherited: list[Located] = []
        while not isinstance(event := next(self._stream), events.MappingEndEvent):
            if not isinstance(event, events.ScalarEvent):
                raise SettingsError(
                    "A key must be plain text.",
                    where=self._at(event).at(path),
                    fix="Put a text that holds { or [ in quotes.",
                )
            key, place = self._text(event, path), self._at(event)
            value = replace(self._value(next(self._stream), (*path, key)), key=place)
            if key == "<<" and event.implicit[0]:
                inherited.extend(self._merged(value, path))
            elif key in entries:
                self._mistake(
                    place,
                    (*path, key),
                    f"The key {key!r} is written twice"
                    + (f", in lines {entries[key].start.line} and {place.line}." if place.line else "."),
                    "Keep one of the two.",
                )
            else:
                entries[key] = value
        for source in inherited:
            for key, value in source.value.items() if isinstance(source.value, dict) else ():
                entries.setdefault(key, value)
        return entries

    def _merged(self, value: Located, path: Path) -> list[Located]:
        sources = value.value if isinstance(value.value, list) else [value]
        if not all(isinstance(source.value, dict) for source in sources):
            self._mistake(
                value.place, (*path, "<<"), "The merge key << takes an alias of a mapping.", "Write <<: *name."
            )
            return []
        return sources

    def _scalar(self, event: Any, path: Path) -> Scalar:
        text = self._text(event, path)
        try:
            if event.tag == "!":
                return text
            if event.tag is None:
                if not event.implicit[0]:
                    return text
                if _AMBIGUOUS.fullmatch(text):
                    self._mistake(
                        self._at(event),
                        path,
                        f"{text} means {_octal(text)} to some readers of YAML and {int(text)} to others.",
                        f'Write {int(text)} for the number, or "{text}" for the text.',
                    )
                    return text
                return _resolved(text)
            if event.tag == _CORE + "str":
                return text
            if event.tag in _CONVERSIONS:
                return _CONVERSIONS[event.tag](text)
        except (ValueError, KeyError) as error:
            self._mistake(
                self._at(event), path, f"The value cannot be read: {error}.", "Correct it, or put it in quotes."
            )
            return text
        self._unknown_tag(event, path)
        return text

    def _text(self, event: Any, path: Path) -> str:
        text = str(event.value)
        if found := _SURROGATE.search(text):  # libyaml refuses it on its own
            self._mistake(
                self._at(event),
                path,
                f"The escape \\u{ord(found.group()):04x} is half of a character.",
                "Write the character itself, or \\U and its eight digits.",
            )
            return ""
        return text

    def _unknown_tag(self, event: Any, path: Path) -> None:
        tag = str(event.tag).replace(_CORE, "!!")
        self._mistake(self._at(event), path, f"The tag {tag} is not known here.", "Remove the tag.")

    def _mistake(self, place: Place, path: Path, what: str, fix: str) -> None:
        self.mistakes.append(mistake(place, path, what, fix=fix))


def _resolved(text: str) -> Scalar:
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text.lower() == "true"
    if _INT.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _INFINITE.fullmatch(text):
        return float(text.replace(".", ""))
    return text


def reads_as_text(text: str) -> bool:
    """True if a plain scalar of this text is text, and not a number, true, false, null or ambiguous."""
    return not any(rule.fullmatch(text) for rule in (_NULL, _BOOL, _INT, _FLOAT, _INFINITE, _AMBIGUOUS))


_CONVERSIONS: dict[str, Callable[[str], Scalar]] = {
    _CORE + "int": lambda text: int(text, 0),
    _CORE + "float": lambda text: float(text.replace(".inf", "inf").replace(".nan", "nan")),
    _CORE + "bool": lambda text: {"true": True, "false": False}[text.lower()],
    _CORE + "null": lambda text: None,
}


def _octal(text: str) -> int | str:
    try:
        return int(text, 8)
    except ValueError:
        return "text"


def _syntax_fix(text: str, mark: yaml.Mark | None, one_line: bool) -> str:
    lines = text.splitlines()
    if mark and mark.line < len(lines) and "\t" in lines[mark.line][: mark.column + 1]:
        return "Indent with spaces, not with tabs."
    if mark and mark.line < len(lines) and lines[mark.line][mark.column : mark.column + 1] in ("`", "@", "%"):
        sign, rest = lines[mark.line][mark.column], lines[mark.line][mark.column :].partition(" #")[0].rstrip()
        quoted = "'" + mask_passwords(rest).replace("'", "''") + "'"
        example = "" if re.search(r"[\[\]{},]", lines[mark.line]) else f": {quoted}"
        return f"YAML lets no text begin with {sign}: put the whole text in single quotes{example}."
    if one_line:
        return "Put a text with special characters in double quotes within the value, as in --set 'a.b=\"x: y\"'."
    return "Look at the indentation, brackets and quotes here and just above; put texts with `: ` or ` #` in quotes."
