"""What is brought and taken: nothing that is there already."""

from __future__ import annotations

import os
from pathlib import Path

from runners.kubeflow.root.manifest import FileStat, Manifest, to_bring, to_take
from runners.kubeflow.root.object_store import Stat
from schemas.artifact_contents import record_contents

HERE = Manifest({"a": FileStat(1, 10), "b": FileStat(2, 10), "c": FileStat(3, 10)})
KEPT = Manifest({"a": FileStat(1, 10, "x"), "b": FileStat(2, 9, "y")})
OBJECTS = {"a": Stat(1, "x"), "b": Stat(2, "y"), "z": Stat(9, "z")}


def test_what_changed_is_taken_the_largest_first() -> None:
    # a is kept as it is; b was written again, at 10 rather than 9; c is new.
    assert to_take(HERE, KEPT, OBJECTS) == ["c", "b"]


def test_what_the_store_has_lost_or_got_from_others_is_taken_again() -> None:
    assert to_take(HERE, KEPT, {"b": Stat(2, "y")}) == ["c", "b", "a"]
    assert to_take(HERE, KEPT, {**OBJECTS, "a": Stat(1, "another")}) == ["c", "b", "a"]


def test_without_a_record_all_is_taken() -> None:
    assert to_take(HERE, None, OBJECTS) == ["c", "b", "a"]


def test_what_is_not_here_as_it_is_kept_is_brought() -> None:
    assert to_bring(KEPT, HERE) == ["b"]
    assert to_bring(KEPT, Manifest({})) == ["b", "a"]


def test_a_folder_is_whole_with_the_objects_that_were_recorded() -> None:
    assert KEPT.is_whole(OBJECTS)
    assert not KEPT.is_whole({"a": Stat(1, "x")})
    assert not KEPT.is_whole({**OBJECTS, "b": Stat(2, "another")})
    assert Manifest({}).is_whole({})


def test_tags_are_those_of_the_objects() -> None:
    assert HERE.tagged(OBJECTS) == Manifest({"a": FileStat(1, 10, "x"), "b": FileStat(2, 10, "y")})


def test_an_object_of_another_size_is_not_that_of_the_file() -> None:
    # As a file that grew, or an upload that a server cut off.
    assert HERE.tagged({"a": Stat(9, "x"), "b": Stat(2, "y")}) == Manifest({"b": FileStat(2, 10, "y")})


def test_the_record_comes_back(tmp_path: Path) -> None:
    (tmp_path / "Split-train").mkdir()
    (tmp_path / "Split-train/data").write_bytes(b"rows")
    os.utime(tmp_path / "Split-train/data", ns=(5, 7))

    manifest = Manifest.of(tmp_path)

    assert manifest == Manifest({"Split-train/data": FileStat(4, 7)})
    assert Manifest.from_json(manifest.to_json()) == manifest


def test_it_looks_as_the_artifact_was_recorded(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).write_bytes(b"rows")

    assert f'"looks": "{Manifest.of(tmp_path).looks}"' in record_contents(str(tmp_path))
