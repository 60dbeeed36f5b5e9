"""The folder of a run, `<output_dir>/logs/<run id>`: its compiled pipeline, its settings and the logs of its nodes."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from google.protobuf import text_format
from tfx.proto.orchestration import pipeline_pb2

from configs.settings import Settings
from pipeline.pipeline import root
from runners.job import Job
from schemas.errors import RunError

PIPELINE_FILE = "pipeline.pbtxt"
SETTINGS_FILE = "settings.json"
JOB_FILE = "job.json"
"""What the plan of the schedule says of the run; of one that nobody planned there is none."""


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

    def save(self, job: Job | None = None) -> None:
        """Makes the folder; it is there with all of its content or not at all.

        Args:
            job: what its record is to say, where that is written later, maybe by another process.
        """
        staging = self.path.with_name(f".{self.path.name}-{secrets.token_hex(4)}")
        staging.mkdir(parents=True)
        (staging / PIPELINE_FILE).write_text(text_format.MessageToString(self.pipeline))
        (staging / SETTINGS_FILE).write_text(json.dumps(self.settings.dump(), indent=2))
        if job is not None:
            (staging / JOB_FILE).write_text(json.dumps(asdict(job)))
        os.rename(staging, self.path)

    def job(self) -> Job | None:
        """What it was saved with.

        Raises:
            RunError: it cannot be read.
        """
        file = self.path / JOB_FILE
        try:
            return Job(**json.loads(file.read_text()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise _no_folder(file, error) from error

    def discard(self) -> None:
        """Removes the folder of a run that was refused before it began."""
        shutil.rmtree(self.path)

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
            raise _no_folder(path, error) from error
        return cls(path, pipeline, settings)


def _no_folder(path: Path, error: Exception) -> RunError:
    return RunError(
        "This is not the folder of a run.",
        where=str(path),
        received=error,
        fix="Give <output_dir>/logs/<run id>, as printed when the run started.",
    )


def run_folder(settings: Settings, run_id: str) -> Path:
    """Where a run's folder is."""
    return root(settings) / "logs" / run_id
