"""The one family of errors that a user's mistake ends in.

    ScalableTFError
    ├── SetupError        the machine: interpreter, packages, disk, devices
    ├── SettingsError     a YAML file, an overlay, --set, or an environment variable
    ├── SchemaError       the feature table or a curated schema
    ├── DataError         the rows themselves
    │   ├── AnomalyError  rows that validation refuses
    │   └── DataStoreError  a store that does not give them
    ├── TrainingError     strategy, cluster, model or training loop
    ├── EvaluationError   metrics, thresholds, baseline
    ├── ReleaseError      pushing and rolling back versions
    ├── ServingError      a model server, as those who ask it see it
    └── RunError          the orchestration of nodes

Every error says what went wrong, where, what was received and how to fix it. The command line prints exactly that and
exits with 1; the traceback goes to the log.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_IN_TRACEBACK = re.compile(
    r"^schemas\.errors\.(?P<kind>\w+): (?P<what>.*)$"
    r"(?:\n  Where: (?P<where>.*(?:\n    .*)*)$)?"
    r"(?:\n  Received: (?P<received>.*(?:\n    .*)*)$)?"
    r"(?:\n  Fix: (?P<fix>.*(?:\n    .*)*)$)?",
    re.MULTILINE,
)
_NEXT_LINE = "\n    "
_BEAMS = re.compile(r" \[while running '.*'\]$")


class PlacedValueError(ValueError):
    """What a pydantic validator raises about a value below it; `configs.load` turns it into a SettingsError.

    Args:
        message: what is wrong.
        path: keys and indexes from the model that validates to the value.
        known: names of which the closest one is suggested.
        received: the offending name or value.
    """

    def __init__(
        self, message: str, path: tuple[str | int, ...], *, known: Iterable[str] = (), received: object = None
    ) -> None:
        super().__init__(message)
        self.path = path
        self.known = tuple(known)
        self.received = received


class ScalableTFError(Exception):
    """A mistake that the user can mend.

    Args:
        what: one sentence, what is wrong.
        where: file, line, column, feature, split or node.
        received: the offending value, shown after `Received:`.
        fix: what to do about it.
    """

    def __init__(self, what: str, *, where: str = "", received: object = None, fix: str = "") -> None:
        self.what = what
        self.where = where
        self.received = None if received is None else str(received)
        self.fix = fix
        # The whole text: of an error in a worker, Beam keeps the first argument and nothing else. With further lines
        # moved in, so that `from_traceback` can tell where each part ends.
        super().__init__(self._text(_NEXT_LINE))

    def __str__(self) -> str:
        return self._text("\n")

    def _text(self, next_line: str) -> str:
        lines = [self.what]
        for name, text in (("Where", self.where), ("Received", self.received), ("Fix", self.fix)):
            if text or (text is not None and name == "Received"):
                lines.append(f"  {name}: {text}".replace("\n", next_line))
        return "\n".join(lines)

    def __reduce__(self) -> tuple[object, tuple[dict[str, str | None]]]:
        # Keyword-only arguments do not survive the default protocol, and errors cross process borders here.
        return from_dict, (self.to_dict(),)

    def to_dict(self) -> dict[str, str | None]:
        """The error as JSON-ready text, for another process to raise again with `from_dict`."""
        return {
            "kind": type(self).__name__,
            "what": self.what,
            "where": self.where,
            "received": self.received,
            "fix": self.fix,
        }


class SetupError(ScalableTFError):
    """The machine lacks something: an interpreter, a package, disk space, a device."""


class SettingsError(ScalableTFError):
    """A settings file, an overlay, `--set` or an environment variable is wrong."""


class SchemaError(ScalableTFError):
    """The feature table or a curated schema is wrong."""


class DataError(ScalableTFError):
    """The rows cannot be used."""


class AnomalyError(DataError):
    """Validation found anomalies at or above the configured severity."""


class DataStoreError(DataError):
    """The store of the rows does not answer, or lets nobody in: the rows may be fine."""


class TrainingError(ScalableTFError):
    """The strategy, the cluster, the model or the training loop cannot work."""


class EvaluationError(ScalableTFError):
    """Metrics, thresholds or the baseline are wrong."""


class ReleaseError(ScalableTFError):
    """A version cannot be pushed or rolled back."""


class ServingError(ScalableTFError):
    """A model server cannot serve, does not answer, or refuses a request."""


class RunError(ScalableTFError):
    """A node, or the run as a whole, did not finish."""


def _family() -> dict[str, type[ScalableTFError]]:
    found: dict[str, type[ScalableTFError]] = {ScalableTFError.__name__: ScalableTFError}
    pending: list[type[ScalableTFError]] = [ScalableTFError]
    while pending:
        for child in pending.pop().__subclasses__():
            found[child.__name__] = child
            pending.append(child)
    return found


def from_dict(fields: Mapping[str, str | None]) -> ScalableTFError:
    """The error that `ScalableTFError.to_dict` described, as its own class."""
    kind = _family().get(fields.get("kind") or "", ScalableTFError)
    return kind(
        fields.get("what") or "",
        where=fields.get("where") or "",
        received=fields.get("received"),
        fix=fields.get("fix") or "",
    )


def from_traceback(text: str) -> ScalableTFError | None:
    """The last of these errors in the text of a traceback, which is how one comes from a worker of Beam.

    Args:
        text: of the traceback, or with it; Beam adds where in its graph it was.

    Returns:
        None where there is none.
    """
    found = list(_IN_TRACEBACK.finditer(text))
    if not found:
        return None
    return from_dict(
        {
            name: value and _BEAMS.sub("", value).replace(_NEXT_LINE, "\n")
            for name, value in found[-1].groupdict().items()
        }
    )
