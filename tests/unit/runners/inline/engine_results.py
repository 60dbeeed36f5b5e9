"""What a pipeline gives on an engine."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apache_beam as beam

from runners.inline import InlineRunner
from runners.inline_plan import make_plan

Build = Callable[[beam.Pipeline], dict[str, beam.PCollection]]


def results(runner: beam.runners.PipelineRunner, build: Build, folder: Path) -> dict[str, list[str]]:
    """Every collection's elements as sorted text. The two runners group in different orders."""
    folder.mkdir()
    pipeline = beam.Pipeline(runner=runner, argv=[])
    for name, collection in build(pipeline).items():
        _ = (
            collection
            | f"{name} text" >> beam.Map(_text)
            | f"{name} list" >> beam.combiners.ToList()
            | f"{name} file" >> beam.Map(_write, str(folder / name))
        )
    pipeline.run().wait_until_finish()
    return {path.name: pickle.loads(path.read_bytes()) for path in folder.iterdir()}


def _text(element: Any) -> str:
    if isinstance(element, tuple) and len(element) == 2 and not isinstance(element[1], str | dict):
        try:
            return repr((element[0], sorted(element[1], key=repr)))
        except TypeError:
            pass
    return repr(element)


def _write(values: list[str], path: str) -> None:
    Path(path).write_bytes(pickle.dumps(sorted(values)))


class NoFallback(InlineRunner):
    def run_pipeline(self, pipeline: beam.Pipeline, options: Any) -> Any:
        assert make_plan(pipeline).obstacles == []
        return super().run_pipeline(pipeline, options)
