from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from components.example_gen.fingerprint import fingerprint
from components.example_gen.unchanged import unchanged
from schemas.errors import DataError


def appended(path: Path) -> None:
    with path.open("a") as file:
        file.write("3,4\n")


def replaced(path: Path) -> None:
    (path.parent / "new").write_text("a,b\n9,9\n")
    (path.parent / "new").replace(path)


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "appended": (appended, "12 bytes, 8 when the run started"),
    "truncated": (lambda path: os.truncate(path, 5), "5 bytes, 8 when the run started"),
    "replaced by one of the same size": (replaced, "other content than when the run started"),
    "deleted": (lambda path: path.unlink(), "the file is gone"),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n")
    return path


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_named(path: Path, change: str) -> None:
    do, received = CHANGES[change]
    with (
        pytest.raises(DataError, match="changed while it was read") as caught,
        unchanged([str(path)], fingerprint([str(path)])),
    ):
        do(path)
    assert (caught.value.where, caught.value.received) == (str(path), received)


def test_a_change_explains_what_reading_met(path: Path) -> None:
    def read() -> None:
        with unchanged([str(path)], fingerprint([str(path)])):
            os.truncate(path, 6)
            raise DataError("1 row has not the number of fields that the header has.")

    with pytest.raises(DataError, match="changed while it was read") as caught:
        read()
    assert isinstance(caught.value.__cause__, DataError)


def test_a_file_that_was_only_touched_is_the_same(path: Path) -> None:
    with unchanged([str(path)], fingerprint([str(path)])):
        os.utime(path, (1, 1))


def test_without_a_change_an_error_stays_what_it_is(path: Path) -> None:
    with pytest.raises(DataError, match="ragged"), unchanged([str(path)], fingerprint([str(path)])):
        raise DataError("ragged")


def test_of_several_files_the_changed_one_is_named(path: Path) -> None:
    other = path.with_name("b.csv")
    other.write_text("a,b\n5,6\n")
    files = [str(path), str(other)]
    with pytest.raises(DataError) as caught, unchanged(files, fingerprint(files)):
        appended(other)
    assert caught.value.where == str(other)
