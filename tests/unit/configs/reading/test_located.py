from __future__ import annotations

import pytest

from configs.reading.located import Located, Path, Place, dotted, mistake, shown


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("training", "epochs"), "training.epochs"),
        (("evaluation", "slices", 0, 1), "evaluation.slices[0][1]"),
        (("features", "trip.miles", "log"), 'features."trip.miles".log'),
        (("features", "Trip Miles"), 'features."Trip Miles"'),
        ((), ""),
    ],
)
def test_dotted(path: Path, text: str) -> None:
    assert dotted(path) == text


def test_a_place_in_a_file_names_line_column_and_path() -> None:
    assert Place("a.yaml", 3, 7).at(("data", "path")) == "a.yaml, line 3, column 7 (data.path)"


def test_the_place_of_an_override_is_the_override() -> None:
    assert Place("--set a.b=3").at(("a", "b")) == "--set a.b=3"


def test_a_child_that_is_not_there_is_none() -> None:
    place = Place("f")
    tree = Located({"a": Located([Located(1, place)], place)}, place)
    inner = tree.child("a")
    assert inner is not None
    assert inner.child(0) == Located(1, place)
    assert [tree.child("b"), tree.child(0), inner.child(1), inner.child("a"), inner.child(-1)] == [None] * 5


def test_passwords_are_masked_before_values_are_cut() -> None:
    url = f"mysql://me:{'secret' * 30}@host/db"
    assert shown(url) == "'mysql://me:***@host/db'"


def test_no_part_of_a_mistake_shows_a_password() -> None:
    found = mistake(
        Place("--set a=mysql://me:pw@host"), ("a",), "what", received="mysql://me:pw@host", fix="x://y:pw@z"
    )
    assert "pw" not in str(found.error)
