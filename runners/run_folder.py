"""The folder of a run, `<output_dir>/logs/<run id>`: its compiled pipeline, its settings and the logs of its nodes."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from google.protobuf import text_format
from tfx.proto.orchestration import pipeline_pb2

from configs.settings import Settings
from pipeline.pipeline import root
from schemas.errors import RunError

PIPELINE_FILE = "pipeline.pbtxt"
SETTINGS_FILE = "settings.json"


@dataclass(frozen=True)
class RunFolder:
    """One run on disk.

    Attributes:
        path: the folder; its name is the run id.
        pipeline: compiled, for this run.
        settings: what it was compiled from.
    """

    path: Path
    pipeline: pipeline_pb2.Pipeline
    settings: Settings

    def save(self) -> None:
        """Makes the folder; it is there with all of its content or not at all."""
        staging = self.path.with_name(f".{self.path.name}-{secrets.token_hex(4)}")
        staging.mkdir(parents=True)
        (staging / PIPELINE_FILE).write_text(text_format.MessageToString(self.pipeline))
        (staging / SETTINGS_FILE).write_text(json.dumps(self.settings.dump(), indent=2))
        os.rename(staging, self.path)

    @classmethod
    def load(cls, path: Path) -> RunFolder:
        """Reads it back.

        Raises:
            RunError: it is not the folder of a run.
        """
        try:
            pipeline = text_format.Parse((path / PIPELINE_FILE).read_text(), pipeline_pb2.Pipeline())
            settings = Settings.model_validate_json((path / SETTINGS_FILE).read_text())
        except (OSError, ValueError, text_format.ParseError) as error:
            raise RunError(
                "This is not the folder of a run.",
                where=str(path),
                received=error,
                fix="Give <output_dir>/logs/<run id>, as printed when the run started.",
            ) from error
        return cls(path, pipeline, settings)


def run_folder(settings: Settings, run_id: str) -> Path:
    """Where a run's folder is."""
    return root(settings) / "logs" / run_id
