from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tfx.types import standard_artifacts

from configs.window import Window
from runners.cleaning.folders import output_folders
from runners.cleaning.plan import make_plan
from runners.cleaning.window import IN_WINDOW, window_to_keep
from schemas.artifacts import GateReport
from tests.unit.runners.made_history import MadeHistory
from tests.unit.runners.made_settings import made_settings

pytestmark = pytest.mark.slow


@pytest.fixture
def made(tmp_path: Path) -> MadeHistory:
    """Five spans, each ingested and accepted by a run of its own that trained on nothing; the fourth was refused."""
    made = MadeHistory(tmp_path)
    for span in (1, 2, 3, 4, 5):
        run = str(span)
        made.record(run)
        _, examples = made.node(run, "ExampleGen", {}, {"examples": _spanned(standard_artifacts.Examples, span)})
        kinds = {"statistics": _spanned(standard_artifacts.ExampleStatistics, span)}
        _, statistics = made.node(run, "StatisticsGen", examples, kinds)
        state = "failed" if span == 4 else "complete"
        made.node(run, "AnomalyGate", {**examples, **statistics}, {"gate": GateReport}, state=state)
        if span in (2, 3):
            cache = {"updated_analyzer_cache": standard_artifacts.TransformCache}
            made.node(run, "Transform", examples, cache, span=span)
    return made


def _spanned(kind: Any, span: int) -> Any:
    def make() -> Any:
        artifact = kind()
        artifact.span = span
        return artifact

    return make


def kept(made: MadeHistory, window: Window | None) -> set[str]:
    folders = output_folders(made.output_dir)
    with made.metadata as metadata:
        plan = make_plan(metadata, made.pipeline, made.output_dir, folders, newest=1, window=window)
    gone = {Path(one.path).relative_to(made.output_dir / "artifacts").as_posix() for one in plan.remove}
    assert (IN_WINDOW in [one.reason for one in plan.keep]) is (window is not None)
    return made.folders() - gone


def test_without_a_window_only_the_newest_run_is_kept(made: MadeHistory) -> None:
    assert kept(made, None) == {"ExampleGen/examples/15", "StatisticsGen/statistics/16", "AnomalyGate/gate/17"}


@pytest.mark.parametrize(
    ("comparators", "overrides", "keeps"),
    [
        ("drift_comparator { infinity_norm { threshold: 0.1 } }", [], True),
        ("skew_comparator { infinity_norm { threshold: 0.1 } }", [], False),  # both sides are made by one run
        ("", ["validation.drift={fare: 0.1}"], True),
        ("", ["window.spans=3"], True),
        ("?", [], True),  # it may have some
        ("", [], False),
        ("drift_comparator { infinity_norm { threshold: 0.1 } }", ["data.path=one.csv"], False),
    ],
)
def test_the_span_before_is_kept_where_anything_compares_with_it(
    comparators: str, overrides: list[str], keeps: bool, tmp_path: Path
) -> None:
    (tmp_path / "schema.pbtxt").write_text(f'feature {{ name: "fare" type: FLOAT {comparators} }}')
    settings = made_settings(tmp_path, *overrides, more="schema: {path: FOLDER/schema.pbtxt}\n")
    assert window_to_keep(settings) == (settings.window if keeps else None)


def test_without_a_window_the_newest_accepted_span_is_kept_where_drift_is_measured(made: MadeHistory) -> None:
    """The newest run is one of an old span, which came late: the next one is compared with what another run made."""
    made.record("late")
    made.ingest("late")
    assert kept(made, None) == {"ExampleGen/examples/18"}
    expected = {"ExampleGen/examples/15", "StatisticsGen/statistics/16", "ExampleGen/examples/18"}
    assert kept(made, Window()) == expected


def test_of_the_newest_window_examples_statistics_and_the_newest_cache_are_kept(made: MadeHistory) -> None:
    # Executions of a span: 1 to 3, 4 to 7, 8 to 11, 12 to 14, 15 to 17.
    assert kept(made, Window(spans=3, max_gaps=1)) == {
        *("ExampleGen/examples/8", "StatisticsGen/statistics/9", "Transform/updated_analyzer_cache/11"),
        *("ExampleGen/examples/15", "StatisticsGen/statistics/16", "AnomalyGate/gate/17"),
    }


def test_of_a_growing_window_every_accepted_span_is_kept(made: MadeHistory) -> None:
    assert kept(made, Window(spans="all")) == {
        *(f"ExampleGen/examples/{number}" for number in (1, 4, 8, 15)),
        *(f"StatisticsGen/statistics/{number}" for number in (2, 5, 9, 16)),
        *("Transform/updated_analyzer_cache/11", "AnomalyGate/gate/17"),
    }


def test_what_only_earlier_windows_read_goes(tmp_path: Path) -> None:
    """Each Transform read the cache of the one before; that does not keep all that these were made of."""
    made = MadeHistory(tmp_path)
    cache: dict[str, Any] = {}
    for span in (1, 2, 3):
        run = str(span)
        made.record(run)
        _, examples = made.node(run, "ExampleGen", {}, {"examples": _spanned(standard_artifacts.Examples, span)})
        kinds = {"updated_analyzer_cache": standard_artifacts.TransformCache}
        _, found = made.node(run, "Transform", {**examples, **cache}, kinds, span=span)
        cache = {"analyzer_cache": found["updated_analyzer_cache"]}
    folders = output_folders(made.output_dir)
    with made.metadata as metadata:
        plan = make_plan(metadata, made.pipeline, made.output_dir, folders, newest=1)
    gone = {Path(one.path).relative_to(made.output_dir / "artifacts").as_posix() for one in plan.remove}
    # The cache of run 2 stays, as an input of the newest run.
    assert gone == {"ExampleGen/examples/1", "Transform/updated_analyzer_cache/2", "ExampleGen/examples/3"}


def test_models_of_the_newest_span_and_the_newest_models_are_kept_and_what_they_began_with_goes(tmp_path: Path) -> None:
    made = MadeHistory(tmp_path)
    base: dict[str, Any] = {}
    for run, span in (("first", 1), ("second", 2), ("late", 0), ("unblessed", 3)):
        made.record(run)
        given = made.train(run, base, blessed=int(run != "unblessed"), span=span)
        base = {"base_model": given["model"]}
    models = {folder for folder in kept(made, None) if folder.startswith("Trainer/")}
    assert models == {"Trainer/model/3", "Trainer/model/5", "Trainer/model/7"}
