from __future__ import annotations

from typing import Any

import pytest

from models.run_config import RunConfig
from schemas.errors import TrainingError

TABLE = {
    "features": {"fare": {"kind": "numeric"}},
    "label": {"kind": "binary", "expression": "tips > 1"},
}


def given(**changes: Any) -> dict[str, Any]:
    return {"settings": {"model": {"architecture": "dcn"}, "training": {"epochs": 3}}, "features": TABLE, **changes}


def test_what_the_trainer_is_told() -> None:
    config = RunConfig.from_custom_config(given(code="abc", backup_dir="somewhere"))
    assert config.model.architecture == "dcn"
    assert config.training.epochs == 3
    assert config.training.batch_size is None  # the plan decides, by the number of rows
    assert config.table.inputs == {"fare": "float"}
    assert config.label.kind == "binary"
    assert config.backup_dir == "somewhere"


@pytest.mark.parametrize("custom_config", [None, {}, {"settings": {}}])
def test_a_missing_part(custom_config: dict[str, Any] | None) -> None:
    with pytest.raises(TrainingError, match="lacks"):
        RunConfig.from_custom_config(custom_config)


def test_a_wrong_value() -> None:
    with pytest.raises(TrainingError) as caught:
        RunConfig.from_custom_config(given(settings={"training": {"epochs": 0}}))
    assert caught.value.where == "Trainer: epochs"
    assert "greater than or equal to 1" in caught.value.what
