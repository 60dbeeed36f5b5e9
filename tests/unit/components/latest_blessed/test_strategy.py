from __future__ import annotations

from typing import Any

from tfx.types.standard_artifacts import Model, ModelBlessing

from components.latest_blessed.strategy import LatestBlessedBeforeStrategy


def model(number: int) -> Any:
    artifact = Model()
    artifact.id = number
    return artifact


def blessing(of: int, blessed: bool, label: str | None) -> Any:
    artifact = ModelBlessing()
    artifact.set_int_custom_property("current_model_id", of)
    artifact.set_int_custom_property("blessed", int(blessed))
    if label is not None:
        artifact.set_string_custom_property("label", label)
    return artifact


def resolved(
    models: list[int], blessed: dict[int, bool], candidate: int, labels: dict[int, str | None] | None = None
) -> list[int]:
    labels = labels or {}
    found = LatestBlessedBeforeStrategy(label="tips").resolve_artifacts(
        None,
        {
            "model": [model(number) for number in models],
            "model_blessing": [blessing(of, value, labels.get(of, "tips")) for of, value in blessed.items()],
            "candidate": [model(candidate)],
        },
    )
    assert found is not None
    return [artifact.id for artifact in found["model"]]


def test_the_latest_blessed_model_is_resolved() -> None:
    assert resolved([1, 2, 3], {1: True, 2: True}, candidate=3) == [2]


def test_a_refused_model_is_passed_over() -> None:
    assert resolved([1, 2, 3], {1: True, 2: False}, candidate=3) == [1]


def test_the_candidate_is_never_its_own_baseline() -> None:
    assert resolved([1, 2], {1: True, 2: True}, candidate=2) == [1]


def test_the_first_model_has_no_baseline_also_when_it_is_blessed_and_run_again() -> None:
    assert resolved([1], {}, candidate=1) == []
    assert resolved([1], {1: True}, candidate=1) == []


def test_a_model_of_another_label_is_passed_over() -> None:
    assert resolved([1, 2, 3], {1: True, 2: True}, candidate=3, labels={2: "fare"}) == [1]


def test_no_earlier_model_of_the_label_is_no_baseline() -> None:
    assert resolved([1, 2], {1: True}, candidate=2, labels={1: "fare"}) == []


def test_a_blessing_that_does_not_say_its_label_is_of_another() -> None:
    assert resolved([1, 2], {1: True}, candidate=2, labels={1: None}) == []


def test_without_a_candidate_the_latest_blessed_model_is_resolved() -> None:
    inputs = {"model": [model(1), model(2)], "model_blessing": [blessing(1, True, "tips"), blessing(2, True, "tips")]}
    found = LatestBlessedBeforeStrategy(label="tips").resolve_artifacts(None, inputs)
    assert found is not None
    assert found.keys() == inputs.keys()
    assert [artifact.id for artifact in found["model"]] == [2]
