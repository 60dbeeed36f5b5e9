"""What the compiled graph says about the Evaluator."""

from __future__ import annotations

from typing import Any

import pytest
import tensorflow_model_analysis as tfma
from tfx.types import standard_artifacts
from tfx.types.channel import Channel

from components.evaluator.component import Evaluator

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def evaluator(**changes: Any) -> Evaluator:
    given: dict[str, Any] = {
        "examples": Channel(type=standard_artifacts.Examples),
        "model": Channel(type=standard_artifacts.Model),
        "baseline_model": Channel(type=standard_artifacts.Model),
        "eval_config": tfma.EvalConfig(),
        "label": "of tips",
    }
    return Evaluator(**{**given, **changes})


def test_outputs_are_those_of_tfx() -> None:
    assert {name: channel.type for name, channel in evaluator().outputs.items()} == {
        "evaluation": standard_artifacts.ModelEvaluation,
        "blessing": standard_artifacts.ModelBlessing,
    }


@pytest.mark.parametrize(("force", "expected"), [("", ""), ("the old model is broken", "the old model is broken")])
def test_the_reason_for_a_forced_blessing_is_a_parameter(force: str, expected: str) -> None:
    assert evaluator(force_bless=force).exec_properties["force_bless"] == expected


def test_the_eval_split_is_evaluated_unless_another_one_is_named() -> None:
    assert evaluator().exec_properties["example_splits"] == '["eval"]'
    assert evaluator(split="test").exec_properties["example_splits"] == '["test"]'


def test_there_may_be_no_baseline() -> None:
    assert "baseline_model" not in evaluator(baseline_model=None).inputs
