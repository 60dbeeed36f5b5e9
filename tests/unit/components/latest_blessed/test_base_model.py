from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.types import standard_artifacts

from components.latest_blessed.base_model import BaseModelStrategy
from tests.unit.runners.made_history import MadeHistory

pytestmark = pytest.mark.slow


@pytest.fixture
def made(tmp_path: Path) -> MadeHistory:
    return MadeHistory(tmp_path)


def train(made: MadeHistory, span: int, *, blessed: int = 1, run: str = "") -> int:
    """Id of a model whose newest span it is."""
    given = made.train(run or f"run-{span}", {}, blessed=blessed, span=span)
    return int(given["model"][0].id)


def base(made: MadeHistory, span: int, label: str = "label") -> list[int]:
    own = standard_artifacts.Examples()
    own.span = span
    strategy = BaseModelStrategy(made.pipeline, "Evaluator", label)
    found = strategy.resolve_artifacts(made.store, {"examples": [own], "model": []})
    assert found["examples"] == [own]
    return [artifact.id for artifact in found["model"]]


def test_the_newest_span_before_counts_and_not_the_time(made: MadeHistory) -> None:
    third, first = train(made, 3), train(made, 1)
    assert base(made, 4) == [third]
    assert base(made, 3) == [first]
    assert base(made, 1) == []


def test_of_one_span_the_last_model(made: MadeHistory) -> None:
    train(made, 3, run="once")
    again = train(made, 3, run="again")
    assert base(made, 4) == [again]


def test_refused_models_and_those_of_another_label_are_passed_over(made: MadeHistory) -> None:
    first = train(made, 1)
    train(made, 2, blessed=0)
    assert base(made, 3) == [first]
    assert base(made, 3, label="another") == []


def test_spans_that_are_far_away_are_found(made: MadeHistory) -> None:
    first = train(made, 7)
    assert base(made, 19_000) == [first]


def test_a_model_that_is_gone_or_altered_is_passed_over(made: MadeHistory) -> None:
    first, second = train(made, 1), train(made, 2)
    (model,) = made.store.get_artifacts_by_id([second])
    model.state = metadata_store_pb2.Artifact.DELETED
    made.store.put_artifacts([model])
    assert base(made, 3) == [first]


def test_a_model_that_tells_no_span_is_passed_over(made: MadeHistory) -> None:
    made.train("run-0", {}, blessed=1)
    assert base(made, 3) == []


def test_other_pipelines_have_models_of_their_own(made: MadeHistory, tmp_path: Path) -> None:
    train(made, 1)
    other: Any = MadeHistory(tmp_path, pipeline="other", store_file=made.output_dir / "metadata/metadata.sqlite")
    assert base(other, 2) == []
