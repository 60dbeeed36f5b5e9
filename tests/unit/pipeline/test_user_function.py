from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.user_function import check_function
from schemas.errors import SettingsError


@pytest.mark.parametrize(
    "path",
    [
        "models.run_fn.run_fn",  # defined
        "stf_mine.defined",
        "stf_mine.assigned",
        "stf_mine.imported",
        "stf_mine.conditional",
    ],
)
def test_a_function_that_is_there_is_accepted(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stf_mine.py").write_text(
        "from os import path as imported\n"
        "def defined(): ...\n"
        "assigned = defined\n"
        "try:\n    from os import nothing as conditional\nexcept ImportError:\n    conditional = None\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    check_function(path, "model.run_fn")


@pytest.mark.parametrize(
    ("path", "fix"),
    [
        ("models.run_fn.runn_fn", "models.run_fn.run_fn"),
        ("models.run_fnn.run_fn", "models.run_fn"),
        ("transformss.preprocessing.preprocessing_fn", "transforms"),
    ],
)
def test_one_that_is_not_there_is_an_error_that_names_the_nearest(path: str, fix: str) -> None:
    with pytest.raises(SettingsError) as caught:
        check_function(path, "model.run_fn")
    assert caught.value.where == "model.run_fn"
    assert caught.value.received == path
    assert fix in caught.value.fix
