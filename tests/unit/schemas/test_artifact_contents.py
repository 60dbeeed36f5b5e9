from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from ml_metadata.proto import metadata_store_pb2

from schemas.artifact_contents import CONTENTS_PROPERTY, is_altered, kept_elsewhere, record_contents


def publish(uri: Path) -> metadata_store_pb2.Artifact:
    artifact = metadata_store_pb2.Artifact(uri=str(uri))
    artifact.custom_properties[CONTENTS_PROPERTY].string_value = record_contents(str(uri))
    return artifact


@pytest.fixture
def artifact(tmp_path: Path) -> metadata_store_pb2.Artifact:
    folder = tmp_path / "examples" / "1"
    (folder / "Split-train").mkdir(parents=True)
    (folder / "Split-train/data.gz").write_bytes(b"rows")
    (folder / "notes").write_text("as they were")
    return publish(folder)


def test_an_untouched_artifact_is_not_altered(artifact: metadata_store_pb2.Artifact) -> None:
    assert not is_altered(artifact)


def overwrite(folder: Path) -> None:
    before = (folder / "notes").stat()
    (folder / "notes").write_text("As they were")
    os.utime(folder / "notes", ns=(before.st_atime_ns, before.st_mtime_ns + 1))


ALTERATIONS: dict[str, Callable[[Path], object]] = {
    "a byte changed, the size kept": overwrite,
    "a file cut short": lambda folder: os.truncate(folder / "Split-train/data.gz", 2),
    "a file deleted": lambda folder: (folder / "Split-train/data.gz").unlink(),
    "a file added": lambda folder: (folder / "Split-train/more.gz").touch(),
    "a file renamed": lambda folder: (folder / "notes").rename(folder / "note"),
    "the folder deleted": shutil.rmtree,
}


@pytest.mark.parametrize("name", ALTERATIONS)
def test_an_alteration_is_noticed(name: str, artifact: metadata_store_pb2.Artifact) -> None:
    ALTERATIONS[name](Path(artifact.uri))
    assert is_altered(artifact)


def test_the_contents_count_and_not_the_time(artifact: metadata_store_pb2.Artifact) -> None:
    os.utime(Path(artifact.uri) / "notes")
    assert not is_altered(artifact)


def test_a_single_file_is_an_artifact_too(tmp_path: Path) -> None:
    (tmp_path / "value").write_text("1")
    artifact = publish(tmp_path / "value")
    assert not is_altered(artifact)
    (tmp_path / "value").write_text("12")
    assert is_altered(artifact)


def test_an_artifact_of_which_nothing_is_known_counts_as_it_is(tmp_path: Path) -> None:
    assert not is_altered(metadata_store_pb2.Artifact(uri=str(tmp_path / "nowhere")))


def test_nothing_is_recorded_of_what_is_not_on_this_machine(tmp_path: Path) -> None:
    assert record_contents("gs://bucket/examples/1") == ""
    assert record_contents(str(tmp_path / "nowhere")) == ""


def test_what_is_kept_elsewhere_is_looked_at_there(artifact: metadata_store_pb2.Artifact) -> None:
    asked = []

    def is_altered_there(uri: str, looks: str) -> bool | None:
        asked.append((uri, looks))
        return {"/there/1": True, "/there/2": False}.get(uri)

    recorded = artifact.custom_properties[CONTENTS_PROPERTY].string_value
    with kept_elsewhere(is_altered_there):
        assert not is_altered(artifact)  # not kept there: it is here, as it was
        for uri, altered in (("/there/1", True), ("/there/2", False)):
            moved = metadata_store_pb2.Artifact(uri=uri)
            moved.custom_properties[CONTENTS_PROPERTY].string_value = recorded
            assert is_altered(moved) is altered
    assert is_altered(moved)
    assert {looks for _, looks in asked} == {json.loads(recorded)["looks"]}
