"""The configs on the way from one set of labels to another."""

from __future__ import annotations

import pytest
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from serving.rollout_plan import RolloutPlan
from serving.served_models import entry_of, with_model

EMPTY = ModelServerConfig()
OTHER = with_model(EMPTY, "other", "/o", labels={"stable": 7}, versions=[7])


def loaded(config: ModelServerConfig) -> tuple[dict[str, int], list[int]]:
    """Labels and versions."""
    entry = entry_of(config, "taxi")
    assert entry is not None
    return dict(entry.version_labels), list(entry.model_version_policy.specific.versions)


def test_both_are_loaded_until_the_label_has_moved() -> None:
    config = with_model(OTHER, "taxi", "/t", labels={"stable": 1}, versions=[1])
    plan = RolloutPlan.of(config, "taxi", {"stable": 3}, history=[2, 1, 3], there=[2, 3], base_path="/t")
    # Version 1 is gone: a rollback would go back to 2.
    assert loaded(plan.loading) == ({"stable": 1}, [2, 3])
    assert loaded(plan.labelled) == ({"stable": 3}, [2, 3])
    assert loaded(plan.final) == ({"stable": 3}, [2, 3])
    assert plan.before == config
    assert all(entry_of(one, "other") == entry_of(OTHER, "other") for one in (plan.loading, plan.labelled, plan.final))


@pytest.mark.parametrize(("history", "expected"), [([2, 3], [2, 3]), ([3, 2], [2]), ([2], [2])])
def test_what_a_rollback_would_go_back_to_stays_loaded_if_it_is_older(history: list[int], expected: list[int]) -> None:
    plan = RolloutPlan.of(EMPTY, "taxi", {"stable": history[-1]}, history=history, there=[1, 2, 3], base_path="/t")
    assert loaded(plan.final) == ({"stable": history[-1]}, expected)


def test_a_model_without_an_entry_is_put_back_to_its_newest_version() -> None:
    plan = RolloutPlan.of(OTHER, "taxi", {"stable": 1}, history=[1], there=[1, 2], base_path="/t")
    assert loaded(plan.before) == ({}, [])
    assert loaded(plan.loading) == ({}, [1, 2])
    assert loaded(plan.final) == ({"stable": 1}, [1])
