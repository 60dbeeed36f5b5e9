"""Examples with column files, and executors that transform them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, standard_artifacts
from tfx.utils import io_utils

from components.example_gen.encode import encode_examples
from components.example_gen.split_writer import SplitWriter
from configs.engine import Engine
from runners.engines import beam_pipeline

ROWS = {"train": 60, "eval": 30}
SHARDS = 2
TYPES: Mapping[str, Any] = {
    "number": ("float", pa.float32()),
    "count": ("int", pa.int64()),
    "text": ("string", pa.string()),
    "unread": ("string", pa.string()),
}
SCHEMA = schema_pb2.Schema(
    feature=[
        schema_pb2.Feature(name="number", type=schema_pb2.FLOAT),
        schema_pb2.Feature(name="count", type=schema_pb2.INT),
        schema_pb2.Feature(name="text", type=schema_pb2.BYTES),
        schema_pb2.Feature(name="unread", type=schema_pb2.BYTES),
        schema_pb2.Feature(name="absent", type=schema_pb2.BYTES),
    ]
)


def rows(draw: random.Random, count: int) -> dict[str, list[Any]]:
    """Some values of each column are missing; all of `unread` are."""
    return {
        "number": [None if draw.random() < 0.1 else draw.gauss(0, 1) for _ in range(count)],
        "count": [None if draw.random() < 0.1 else draw.randrange(5) for _ in range(count)],
        "text": [None if draw.random() < 0.1 else draw.choice("aabbbcdefg") for _ in range(count)],
        "unread": [None] * count,
    }


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """Examples in two splits of two shards, and their schema."""
    folder = tmp_path_factory.mktemp("examples")
    draw = random.Random(7)
    for split, count in ROWS.items():
        for shard in range(SHARDS):
            name = f"data_tfrecord-{shard:05d}-of-{SHARDS:05d}.gz"
            with SplitWriter(str(folder / f"Split-{split}" / name)) as writer:
                for _ in range(2):
                    columns = {
                        column: (TYPES[column][0], pa.array(values, TYPES[column][1]).dictionary_encode())
                        for column, values in rows(draw, count // SHARDS // 2).items()
                    }
                    writer.write(encode_examples(columns), columns)
    examples = standard_artifacts.Examples()
    examples.uri, examples.split_names = str(folder), artifact_utils.encode_split_names(list(ROWS))
    examples.set_string_custom_property("file_format", "tfrecords_gzip")
    examples.set_string_custom_property(
        "payload_format", example_gen_pb2.PayloadFormat.Name(example_gen_pb2.FORMAT_TF_EXAMPLE)
    )
    schema = standard_artifacts.Schema()
    schema.uri = str(tmp_path_factory.mktemp("schema"))
    io_utils.write_pbtxt_file(f"{schema.uri}/schema.pbtxt", SCHEMA)
    return {"examples": [examples], "schema": [schema]}


class Transformed:
    """What an executor wrote."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.output = tft.TFTransformOutput(str(folder / "graph"))

    def rows(self, split: str) -> list[dict[str, list[Any]]]:
        """Values of each example."""
        files = sorted(map(str, (self.folder / "examples" / f"Split-{split}").iterdir()))
        examples = [tf.train.Example.FromString(record.numpy()) for record in tf.data.TFRecordDataset(files, "GZIP")]
        return [
            {
                name: list(getattr(feature, feature.WhichOneof("kind")).value)
                for name, feature in example.features.feature.items()
            }
            for example in examples
        ]


@pytest.fixture
def transform(artifacts: dict[str, list[Any]], tmp_path: Path) -> Callable[..., Transformed]:
    """Runs an executor."""

    def run(
        executor: type[BaseBeamExecutor],
        function: str,
        engine: Any = "inline",
        *,
        examples: Sequence[Any] = (),
        name: str = "",
        caches: Sequence[str] = (),
        **properties: Any,
    ) -> Transformed:
        folder = tmp_path / f"{executor.__module__}-{engine}{name}"
        outputs = {}
        inputs = dict(artifacts)
        if examples:
            inputs["examples"] = list(examples)
            for key, paths in (("analyzer_cache", caches), ("updated_analyzer_cache", [str(folder / "cache")])):
                found = [standard_artifacts.TransformCache() for _ in paths]
                for artifact, path in zip(found, paths, strict=True):
                    artifact.uri = path
                (inputs if key == "analyzer_cache" else outputs)[key] = found
        for name, key, kind in (
            ("graph", "transform_graph", standard_artifacts.TransformGraph),
            ("examples", "transformed_examples", standard_artifacts.Examples),
        ):
            artifact = kind()
            artifact.uri = str(folder / name)
            outputs[key] = [artifact]
        context = BaseBeamExecutor.Context(
            tmp_dir=str(tmp_path / "tmp"), unique_id="1", make_beam_pipeline_fn=beam_pipeline(Engine(kind=engine))
        )
        executor(context).Do(inputs, outputs, {"preprocessing_fn": function, "disable_statistics": 1, **properties})
        return Transformed(folder)

    return run


@pytest.fixture
def preprocessing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Makes a module whose preprocessing_fn has this body, and gives the function's dotted path."""

    def make(body: str) -> str:
        name = f"preprocessing_{abs(hash((body, str(tmp_path))))}"
        lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
        (tmp_path / f"{name}.py").write_text(
            f"import tensorflow as tf\nimport tensorflow_transform as tft\n\n\ndef preprocessing_fn(inputs):\n{lines}\n"
        )
        monkeypatch.syspath_prepend(str(tmp_path))
        return f"{name}.preprocessing_fn"

    return make
