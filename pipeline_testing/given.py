"""Values in memory as artifacts: what a test gives to a component, or as the output of a stubbed node."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2
from tfx import version
from tfx.components.util import examples_utils
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact
from tfx.types.value_artifact import ValueArtifact

from pipeline_testing import examples, read
from pipeline_testing.rows import to_rows
from pipeline_testing.statistics import statistics
from schemas.artifacts import ROWS_PROPERTY
from schemas.errors import RunError


def give(kind: type[Artifact], value: Any, folder: Path, where: str) -> list[Artifact]:
    """Artifacts of this type with this content.

    | type                 | what may be given                                                                  |
    |----------------------|------------------------------------------------------------------------------------|
    | Examples             | rows, see `pipeline_testing.rows`, or a dict of them by split; default: `train`    |
    | ExampleStatistics    | the same, or TFDV's DatasetFeatureStatisticsList in their place                    |
    | ExampleAnomalies     | tensorflow_metadata's Anomalies, or a dict of them by split                        |
    | Schema               | tensorflow_metadata's Schema, its text, or the path of a .pbtxt file               |
    | Model                | the path of a SavedModel                                                           |
    | String, Integer, ... | the value                                                                          |
    | any                  | an artifact or a list of them, as an earlier run gave it; the Path of its folder   |

    Args:
        kind: the artifact's class.
        value: what is given.
        folder: where its files go; must not exist.
        where: who asks, for messages.

    Raises:
        RunError: nothing of that kind can be made from the value.
        DataError: the rows are not right.
    """
    given = value if isinstance(value, (list, tuple)) else [value]
    if given and all(isinstance(one, Artifact) for one in given):
        if wrong := next((one for one in given if one.type_name != kind.TYPE_NAME), None):
            raise RunError(f"An artifact of type {kind.TYPE_NAME} belongs here.", where=where, received=wrong.type_name)
        return list(given)
    artifact = kind()
    artifact.uri = str(folder)
    # Without it TFX takes the artifact for an old one, whose folders had other names.
    artifact.set_string_custom_property(artifact_utils.ARTIFACT_TFX_VERSION_CUSTOM_PROPERTY_KEY, version.__version__)
    if issubclass(kind, ValueArtifact):
        folder.parent.mkdir(parents=True, exist_ok=True)
        artifact.write(value)
    elif kind.TYPE_NAME in _WRITERS and not (isinstance(value, Path) and value.is_dir() and kind.TYPE_NAME != "Model"):
        _WRITERS[kind.TYPE_NAME](artifact, value, folder, where)
    elif isinstance(value, Path) and value.is_dir():
        artifact.uri = str(value.resolve())
        if "split_names" in (kind.PROPERTIES or {}):
            artifact.split_names = artifact_utils.encode_split_names(read.splits(artifact))
    else:
        raise _refused(kind, value, where, "an artifact, or the pathlib.Path of its folder")
    return [artifact]


def _give_examples(artifact: Any, value: Any, folder: Path, where: str) -> None:
    by_split = {split: to_rows(rows) for split, rows in _by_split(value).items()}
    for split, rows in by_split.items():
        examples.write(rows, folder / f"Split-{split}")
    artifact.split_names = artifact_utils.encode_split_names(list(by_split))
    artifact.set_string_custom_property(
        ROWS_PROPERTY, json.dumps({split: len(rows) for split, rows in by_split.items()})
    )
    examples_utils.set_payload_format(artifact, example_gen_pb2.FORMAT_TF_EXAMPLE)
    examples_utils.set_file_format(artifact, "tfrecords_gzip")


def _give_statistics(artifact: Any, value: Any, folder: Path, where: str) -> None:
    made = {
        split: one if isinstance(one, statistics_pb2.DatasetFeatureStatisticsList) else statistics(one)
        for split, one in _by_split(value).items()
    }
    _write_splits(artifact, made, folder, read.STATISTICS_FILE)


def _give_anomalies(artifact: Any, value: Any, folder: Path, where: str) -> None:
    made = _by_split(value)
    if not all(isinstance(one, anomalies_pb2.Anomalies) for one in made.values()):
        raise _refused(type(artifact), value, where, "tensorflow_metadata's Anomalies, or a dict of them by split")
    _write_splits(artifact, made, folder, read.ANOMALIES_FILE)


def _give_schema(artifact: Any, value: Any, folder: Path, where: str) -> None:
    if isinstance(value, schema_pb2.Schema):
        text = text_format.MessageToString(value)
    elif isinstance(value, Path):
        text = value.read_text(encoding="utf-8")
    elif isinstance(value, str):
        text = value
    else:
        raise _refused(type(artifact), value, where, "tensorflow_metadata's Schema, its text, or the path of a file")
    try:
        text_format.Parse(text, schema_pb2.Schema())
    except text_format.ParseError as error:
        raise RunError("This is not the text of a schema.", where=where, received=error) from error
    folder.mkdir(parents=True)
    (folder / "schema.pbtxt").write_text(text, encoding="utf-8")


def _give_model(artifact: Any, value: Any, folder: Path, where: str) -> None:
    source = Path(value) if isinstance(value, (str, Path)) else Path()
    if (source / read.SERVING_FOLDER / "saved_model.pb").is_file():
        artifact.uri = str(source.resolve())
    elif (source / "saved_model.pb").is_file():
        shutil.copytree(source, folder / read.SERVING_FOLDER)
    else:
        raise _refused(type(artifact), value, where, "the path of a SavedModel, a folder with saved_model.pb")


_WRITERS: dict[str, Callable[[Any, Any, Path, str], None]] = {
    "Examples": _give_examples,
    "ExampleStatistics": _give_statistics,
    "ExampleAnomalies": _give_anomalies,
    "Schema": _give_schema,
    "Model": _give_model,
}


def _by_split(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {"train": value}


def _write_splits(artifact: Any, made: Mapping[str, Any], folder: Path, name: str) -> None:
    for split, message in made.items():
        (folder / f"Split-{split}").mkdir(parents=True)
        (folder / f"Split-{split}" / name).write_bytes(message.SerializeToString())
    artifact.split_names = artifact_utils.encode_split_names(list(made))


def _refused(kind: type[Artifact], value: Any, where: str, wanted: str) -> RunError:
    return RunError(
        f"No artifact of type {kind.TYPE_NAME} can be made from this.",
        where=where,
        received=f"{type(value).__name__}: {str(value)[:80]}",
        fix=f"Give {wanted}.",
    )
