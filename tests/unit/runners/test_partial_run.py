from __future__ import annotations

from pathlib import Path

import pytest

from configs.load import load_settings
from runners.compiled import changed_nodes, compile_pipeline, node_ids, run_id_of, with_run_id
from runners.partial_run import Part, mark, nodes_to_reuse, nodes_to_run
from schemas.errors import RunError

MINIMAL = Path(__file__).parents[3] / "configs/minimal.yaml"
BEFORE = ["ExampleGen", "StatisticsGen", "SchemaGen", "ExampleValidator", "AnomalyGate", "Transform", "Trainer"]
AFTER = ["LatestBlessed", "Evaluator", "SmokeCheck", "Pusher"]


@pytest.fixture(scope="module")
def compiled() -> object:
    return compile_pipeline(load_settings([MINIMAL]))


@pytest.fixture(scope="module")
def windowed() -> object:
    return compile_pipeline(load_settings([MINIMAL], ["data.path=/data/{SPAN}.csv", "window.spans=3"]))


@pytest.mark.parametrize(
    ("part", "run", "reuse"),
    [
        (Part(first="Evaluator"), AFTER, BEFORE),
        (Part(first="Pusher"), ["Pusher"], [*BEFORE, *AFTER[:-1]]),
        (Part(last="StatisticsGen"), ["ExampleGen", "StatisticsGen"], []),
        (Part("Transform", "Trainer"), ["Transform", "Trainer"], BEFORE[:5]),
        (Part("Trainer", "Trainer"), ["Trainer"], BEFORE[:6]),
    ],
    ids=str,
)
def test_which_nodes_run_and_which_are_taken_from_an_earlier_run(
    part: Part, run: list[str], reuse: list[str], compiled: object
) -> None:
    pipeline = with_run_id(compiled, "now")
    mark(pipeline, part)
    assert nodes_to_run(pipeline) == run
    assert nodes_to_reuse(pipeline) == reuse


@pytest.mark.parametrize(
    ("part", "run", "reused"),
    [
        (Part(first="Transform"), ["SpanWindow", "Transform", "Trainer", *AFTER], False),
        (Part(first="Trainer"), ["Trainer", *AFTER], True),
        (Part(first="Evaluator"), AFTER, True),
    ],
    ids=str,
)
def test_a_window_is_looked_for_again_only_where_nothing_has_worked_with_it(
    part: Part, run: list[str], reused: bool, windowed: object
) -> None:
    pipeline = with_run_id(windowed, "now")
    mark(pipeline, part)
    assert nodes_to_run(pipeline) == run
    assert ("SpanWindow" in nodes_to_reuse(pipeline)) is reused


def test_a_whole_run_runs_all_and_takes_nothing(compiled: object) -> None:
    pipeline = with_run_id(compiled, "now")
    assert nodes_to_run(pipeline) == node_ids(pipeline)
    assert nodes_to_reuse(pipeline) == []


def test_a_node_that_does_not_exist_is_refused_with_the_nearest(compiled: object) -> None:
    with pytest.raises(RunError, match=r"Did you mean Trainer\?") as caught:
        mark(with_run_id(compiled, "now"), Part(first="Trainr"))
    assert caught.value.where == "--from"


def test_a_part_with_nothing_in_it_is_refused(compiled: object) -> None:
    with pytest.raises(RunError, match="No node lies between"):
        mark(with_run_id(compiled, "now"), Part("Evaluator", "Transform"))


def test_the_run_id_and_the_marks_make_no_difference(compiled: object) -> None:
    before, now = with_run_id(compiled, "before"), with_run_id(compiled, "now")
    mark(now, Part(first="Trainer"))
    assert (run_id_of(before), run_id_of(now)) == ("before", "now")
    assert changed_nodes(before, now) == []


def test_a_setting_changes_the_nodes_that_it_reaches(compiled: object) -> None:
    now = compile_pipeline(load_settings([MINIMAL], ["evaluation.thresholds.auc.lower=0.7"]))
    assert changed_nodes(with_run_id(compiled, "before"), with_run_id(now, "now")) == ["Evaluator", "Pusher"]


def test_a_node_that_came_or_went_is_a_change(compiled: object) -> None:
    now = compile_pipeline(load_settings([MINIMAL], ["schema.path=package:schemas/taxi/schema.pbtxt"]))
    assert "ImportSchemaGen" in changed_nodes(with_run_id(compiled, "a"), with_run_id(now, "a"))
    assert "ImportSchemaGen" in changed_nodes(with_run_id(now, "a"), with_run_id(compiled, "a"))
