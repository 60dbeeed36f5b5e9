"""The Beam job of one stage that predicts: a file of predictions for each shard of the examples."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.utils.shared import Shared

from components.bulk_inferrer.manifest import checksum
from components.bulk_inferrer.model_inputs import inputs_of
from components.bulk_inferrer.prediction_files import file_name, prediction_file
from components.bulk_inferrer.prediction_rows import prediction_rows
from components.example_gen.tfrecord import write_whole
from components.examples.shard_rows import read_shard
from components.examples.shared_files import shared_files
from components.served_model.signatures import Outputs, Signatures
from configs.inference import PredictionFormat
from schemas.errors import RunError, ScalableTFError, from_dict
from schemas.storage_error import storage_error

_REPORTS = ".reports"
_RECORDS = "__serialized_example__"


@dataclass(frozen=True)
class Inference:
    """What becomes of every shard.

    Args:
        model: folder of the SavedModel.
        signature: of the model.
        inputs: the raw column of each of its inputs; none where it takes serialized examples.
        outputs: of the signature, which are written.
        schema: of the rows that are written.
        named: columns that stand for the output `predictions`, if they do.
        classes: names of the classes, of a model that predicts classes.
        format: of the files.
    """

    model: str
    signature: str
    inputs: dict[str, str]
    outputs: tuple[str, ...]
    schema: pa.Schema
    named: tuple[str, ...]
    classes: tuple[str, ...]
    format: PredictionFormat


@dataclass(frozen=True)
class Predicted:
    """A file that was written: its name, rows, and SHA-256."""

    name: str
    rows: int
    sha256: str


def infer(
    shards: Sequence[str], folder: str, inference: Inference, make_pipeline: Callable[[], beam.Pipeline]
) -> list[Predicted]:
    """Writes a file of predictions for each shard, with its rows in their order.

    Args:
        shards: of the examples, with column files beside them.
        folder: where the files go; reachable for every worker.
        inference: how.
        make_pipeline: gives the Beam pipeline of the engine.

    Raises:
        ScalableTFError: what a worker met with.
        RunError: a shard was not predicted.
    """
    reports = os.path.join(folder, _REPORTS)
    os.makedirs(reports)
    with make_pipeline() as pipeline:
        _ = (
            pipeline
            | "Shards" >> shared_files({shard: (number, shard) for number, shard in enumerate(shards)})
            | "Predict" >> beam.ParDo(_Predict(len(shards), folder, inference))
        )
    found = [_report(reports, number, shard) for number, shard in enumerate(shards)]
    shutil.rmtree(reports)
    return found


class _Predict(beam.DoFn):
    """Writes the file and the report of each shard."""

    def __init__(self, count: int, folder: str, inference: Inference) -> None:
        self._count = count
        self._folder = folder
        self._inference = inference
        self._shared = Shared()

    def setup(self) -> None:
        """Loads the model, once for all threads of a worker."""
        model, names = self._inference.model, (self._inference.signature,)
        self._signatures = self._shared.acquire(lambda: Signatures(model, names))

    def process(self, element: tuple[int, str]) -> Iterator[int]:
        number, shard = element
        try:
            report: dict[str, Any] = asdict(self._predicted(number, shard))
        except ScalableTFError as error:
            report = {"error": error.to_dict()}
        except OSError as error:
            known = storage_error(error, self._folder)
            if known is None:
                raise
            report = {"error": known.to_dict()}
        write_whole(_path(os.path.join(self._folder, _REPORTS), number), json.dumps(report).encode())
        yield number

    def _predicted(self, number: int, shard: str) -> Predicted:
        inference = self._inference
        name = file_name(number, self._count, inference.format)
        path = os.path.join(self._folder, name)
        rows = 0
        with prediction_file(path, inference.schema, inference.format) as file:
            for batch in read_shard(shard, record_column=None if inference.inputs else _RECORDS):
                answers = self._answers(batch)
                outputs = {output: answers[output] for output in inference.outputs}
                file.write(prediction_rows(batch, outputs, inference.schema, inference.named, inference.classes))
                rows += batch.num_rows
        return Predicted(name, rows, checksum(path))

    def _answers(self, batch: pa.RecordBatch) -> Outputs:
        inference = self._inference
        if inference.inputs:
            return self._signatures.ask(inference.signature, inputs_of(batch, inference.inputs))
        records = batch.column(batch.schema.get_field_index(_RECORDS)).flatten()
        return self._signatures(records.to_numpy(zero_copy_only=False))[inference.signature]


def _report(reports: str, number: int, shard: str) -> Predicted:
    try:
        with open(_path(reports, number), encoding="utf-8") as file:
            report = json.load(file)
    except FileNotFoundError as error:
        raise RunError(
            "A part of the rows was not predicted: its report is missing.",
            where=shard,
            fix="Check that every worker of the engine can write to the output folder, then run again.",
        ) from error
    if "error" in report:
        raise from_dict(report["error"])
    return Predicted(**report)


def _path(reports: str, number: int) -> str:
    return os.path.join(reports, f"shard-{number:05d}.json")
