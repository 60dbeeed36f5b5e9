from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import errors
from schemas.errors import DataError, PlacedValueError, ScalableTFError, SettingsError, from_dict, from_traceback

FAMILY = [
    kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ScalableTFError)
]  # fmt: skip


def test_the_text_says_what_where_received_and_fix() -> None:
    error = SettingsError("The number is too small.", where="a.yaml, line 3", received=0, fix="Use at least 1.")
    assert str(error) == ("The number is too small.\n  Where: a.yaml, line 3\n  Received: 0\n  Fix: Use at least 1.")


def test_what_is_not_known_is_left_out() -> None:
    assert str(ScalableTFError("It failed.")) == "It failed."


@pytest.mark.parametrize("received", [0, "", False])
def test_empty_and_zero_are_received_values(received: object) -> None:
    assert f"Received: {received}" in str(ScalableTFError("It failed.", received=received))


@pytest.mark.parametrize("kind", FAMILY)
def test_an_error_crosses_a_process_border_as_its_own_class(kind: type[ScalableTFError]) -> None:
    error = kind("what", where="where", received=3, fix="fix")
    for copy in (pickle.loads(pickle.dumps(error)), from_dict(error.to_dict())):
        assert type(copy) is kind
        assert str(copy) == str(error)


@given(st.text(), st.text(), st.none() | st.text(), st.text())
def test_any_text_comes_back(what: str, where: str, received: str | None, fix: str) -> None:
    error = SettingsError(what, where=where, received=received, fix=fix)
    assert from_dict(error.to_dict()).to_dict() == error.to_dict()


def test_an_unknown_kind_is_the_general_error() -> None:
    assert type(from_dict({"kind": "FromAnotherVersion", "what": "x"})) is ScalableTFError


def test_every_error_is_drawn_in_the_module() -> None:
    assert all(kind.__name__ in (errors.__doc__ or "") for kind in FAMILY)


def test_a_placed_value_error_is_what_pydantic_collects() -> None:
    error = PlacedValueError("no such name", ("features", "x"), known={"y": 1}, received="x")
    assert isinstance(error, ValueError)
    assert (str(error), error.path, error.known, error.received) == ("no such name", ("features", "x"), ("y",), "x")


@pytest.mark.parametrize(
    "error",
    [
        DataError("It is wrong.", where="a.csv, line 3", received="x; y\nand z\n\nend", fix="Mend it."),
        DataError("It is wrong.", received="x"),
        DataError("It is wrong.", fix="Mend it."),
        DataError("It is wrong."),
    ],
)
def test_an_error_of_a_worker_is_found_in_its_traceback(error: DataError) -> None:
    augmented = DataError(str(error.args[0]) + " [while running 'Write']")  # as Beam raises it again
    text = f"Job failed: Traceback (most recent call last):\n  File ...\nschemas.errors.DataError: {augmented}\n"
    found = from_traceback(text)
    assert type(found) is DataError
    assert str(found) == str(error)


def test_other_tracebacks_hold_none() -> None:
    assert from_traceback("Traceback (most recent call last):\nValueError: schemas.errors.DataError\n") is None
