"""What is known about a released model version: `release.json` in the version's directory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import ReleaseError
from serving.blessing import Blessing
from serving.saved_model import WARMUP_FILE, digest

FILE_NAME = "release.json"


class Provenance(BaseModel):
    """Where a model comes from: everything that decides what it is, and the run that made it.

    Attributes:
        pipeline: name of the pipeline.
        run_id: the run that released the model.
        spans: the spans of data it was trained on.
        fingerprints: of `data` (the input files), `code` and `settings`.
        schema_hash: SHA-256 of the schema that the data was held to, as `schema.pbtxt`.
        blessing: the Evaluator's verdict.
        metrics: metrics by slice; `Overall` is all rows.
        classes: names of the classes, in the order of the model's predictions; empty where it predicts no classes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pipeline: str
    run_id: str
    spans: tuple[int, ...] = ()
    fingerprints: dict[str, str] = {}
    schema_hash: str | None = None
    blessing: Blessing
    metrics: dict[str, dict[str, Any]] = {}
    classes: tuple[str, ...] = ()

    @property
    def origin(self) -> dict[str, Any]:
        """The part that decides what the model is: equal for a run and its repetition."""
        return self.model_dump(mode="json", include={"pipeline", "spans", "fingerprints", "schema_hash"})


class Release(Provenance):
    """A released version.

    Attributes:
        model: name under which it is served.
        version: its number, which is also the directory's name.
        created: when it was released, UTC.
        files: SHA-256 of every file of the SavedModel, by path relative to the version's directory.
        model_digest: SHA-256 over `files`: equal for equal models.
        key: SHA-256 of the model and its origin, by which a repeated push is recognised.
    """

    model: str
    version: int = Field(ge=1)
    created: AwareDatetime
    files: dict[str, str] = Field(min_length=1)
    model_digest: str
    key: str

    @classmethod
    def of(
        cls, provenance: Provenance, *, model: str, version: int, created: datetime, files: dict[str, str], key: str
    ) -> Release:
        """The record of one version."""
        return cls(
            **provenance.model_dump(),
            model=model,
            version=version,
            created=created,
            files=files,
            model_digest=digest(files),
            key=key,
        )

    def is_of(self, files: Mapping[str, str]) -> bool:
        """Whether a trained model is the released one, to which the smoke check may have added warm-up requests.

        Args:
            files: SHA-256 of the trained model's files, by path.
        """
        own = {path: checksum for path, checksum in self.files.items() if path in files or path != WARMUP_FILE}
        return own == dict(files)

    def to_json(self) -> str:
        """The text of release.json."""
        return json.dumps(self.model_dump(mode="json"), indent=2, sort_keys=True, allow_nan=False) + "\n"

    @classmethod
    def load(cls, directory: Path) -> Release:
        """The record in a version's directory.

        Raises:
            ReleaseError: it is missing, is not valid JSON, or lacks a field.
        """
        path = directory / FILE_NAME
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, ValidationError) as error:
            received: object = error
            if isinstance(error, OSError):
                received = error.strerror or error
            elif isinstance(error, ValidationError):  # its own text has several lines, and an address
                faults = error.errors(include_url=False)
                received = "; ".join(": ".join((*map(str, fault["loc"]), fault["msg"])) for fault in faults)
            raise ReleaseError(
                "The record of a released version cannot be read.",
                where=str(path),
                received=received,
                fix="Restore release.json, or move the version's directory away and release the model again.",
            ) from error
