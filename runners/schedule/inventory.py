"""The spans whose data are there, found by the pattern in `data.path`."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass

from components.example_gen.data_files import is_remote
from components.example_gen.fingerprint import fingerprint
from components.example_gen.inputs import find_place, split_path
from components.example_gen.spans import find_spans, has_span
from configs.paths import resolve
from configs.settings import Settings
from runners.schedule.situation import Arrived
from schemas.errors import SettingsError

_OPEN = r"\{(?:SPAN|VERSION)\}"
# A * behind one is no harm: the digits are the placeholder's, as many as there are.
_TOUCHING = re.compile(rf"[*?\]}}0-9]{_OPEN}|{_OPEN}[?\[{{0-9]")


@dataclass(frozen=True)
class Inventory:
    """The data of a pipeline, by span.

    Args:
        settings: whose data.

    Raises:
        SettingsError: `data.path` does not name spans, or so that one name may stand for several.
        DataError: its placeholders have no meaning.
    """

    settings: Settings

    def __post_init__(self) -> None:
        check_spans(self.settings)

    @property
    def dated(self) -> bool:
        """Whether spans are days."""
        return "{YYYY}" in (self.settings.data.path or "")

    @property
    def place(self) -> str:
        """Where spans are looked for: the whole pattern."""
        return resolve(self.settings.data.path or "")

    def arrived(self) -> dict[int, Arrived]:
        """The spans that are there, without when they were first seen.

        Raises:
            DataStoreError: the store of the data does not answer, or lets nobody in.
        """
        names: dict[int, dict[int, set[str]]] = {}
        for found in find_spans(*self._place()):
            names.setdefault(found.span, {}).setdefault(-1 if found.version is None else found.version, set()).add(
                found.pattern
            )
        arrived = {}
        for span, versions in names.items():
            newest = max(versions)
            conflict = ""
            if len(versions[newest]) > 1:
                conflict = f"two names stand for one span: {', '.join(sorted(versions[newest]))}"
            arrived[span] = Arrived(None if newest < 0 else newest, conflict=conflict)
        return arrived

    def signature(self, span: int) -> str:
        """What differs, most likely, when the files of a span do: names, sizes, times; empty for remote ones.

        Raises:
            DataError: there are none.
        """
        files = self._files(span)
        if any(is_remote(file) for file in files):
            return ""
        stats = [(file, os.stat(file)) for file in files]
        facts = [(file, stat.st_size, stat.st_mtime_ns, stat.st_ino) for file, stat in stats]
        return hashlib.sha256(repr(facts).encode()).hexdigest()

    def fingerprint(self, span: int) -> str:
        """As ExampleGen's, of the files of a span.

        Raises:
            DataError: there are none.
        """
        return fingerprint(self._files(span))

    def _files(self, span: int) -> tuple[str, ...]:
        return find_place(*self._place(), span, self.settings.data.files).files

    def _place(self) -> tuple[str, str]:
        return split_path(self.place)


def check_spans(settings: Settings) -> None:
    """Refuses data that a schedule cannot take span by span.

    Raises:
        SettingsError: why.
        DataError: the placeholders of `data.path` have no meaning.
    """
    data = settings.data
    if data.span is not None:
        raise SettingsError(
            "The schedule chooses the span.",
            where="data.span",
            received=data.span,
            fix="Remove data.span; `scalable-tf run --set data.span=N` trains on one span by hand.",
        )
    if data.path is None or not has_span(data.path):
        raise SettingsError(
            "A schedule needs data that come in spans.",
            where="data.path",
            received=data.path or f"a query of the source {data.source}",
            fix="Put {SPAN} or {YYYY}-{MM}-{DD} into the path, where the number or the date of a delivery is: "
            "data/{YYYY}-{MM}-{DD}.csv",
        )
    touching = _TOUCHING.search(data.path)
    if touching:
        raise SettingsError(
            "It cannot be told where the number of a span begins or ends.",
            where="data.path",
            received=f"{data.path}: {touching.group()}",
            fix="Give the placeholder a width, such as {SPAN:3}, or put something between, such as - or a folder.",
        )
