"""Which nodes' cache keys notice which change. A node's key covers its specification: parameters and executor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from configs.load import load_settings
from configs.settings import Settings
from pipeline import cache_key
from pipeline import pipeline as module
from pipeline.pipeline import create_pipeline
from schemas.errors import SettingsError

ROOT = Path(__file__).parents[3]


def settings(*overrides: str) -> Settings:
    return load_settings([ROOT / "configs/taxi.yaml"], ["output_dir=/output", *overrides], {})


def specifications(given: Settings) -> dict[str, Any]:
    found = {}
    for node in create_pipeline(given).components:
        flags = getattr(node.executor_spec, "extra_flags", [])
        found[node.id] = ({key: str(value) for key, value in node.exec_properties.items()}, list(flags))
    return found


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {node for node in before if before[node] != after[node]}


@pytest.fixture
def with_changed_code(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes the code of one package look changed."""
    real = module.code_fingerprint

    def change(package: str) -> None:
        def fingerprint(modules: Iterable[str]) -> str:
            names = list(modules)
            return real(names) + ("changed" if package in names else "")

        monkeypatch.setattr(module, "code_fingerprint", fingerprint)

    return change


def test_equal_settings_give_equal_keys() -> None:
    assert specifications(settings()) == specifications(settings())


@pytest.mark.parametrize(
    ("package", "nodes"),
    [
        ("transforms", {"Transform", "Pusher"}),
        ("models", {"Trainer", "Pusher"}),
        ("distribution", {"Trainer", "SmokeCheck", "Pusher"}),
        ("runners.commands.serve", {"SmokeCheck"}),
        ("configs", {"SmokeCheck"}),
        ("components.example_gen", {"ExampleGen"}),
        ("components.statistics_gen", {"StatisticsGen"}),
        ("components.evaluator", {"Evaluator"}),
        ("components.anomaly_gate", {"AnomalyGate"}),
    ],
)
def test_changed_code_reaches_the_nodes_that_run_it(
    package: str, nodes: set[str], with_changed_code: Callable[[str], None]
) -> None:
    before = specifications(settings())
    with_changed_code(package)
    assert changed(before, specifications(settings())) >= nodes


def test_changed_code_of_the_user_reaches_the_node_that_calls_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stf_user_model.py").write_text("def run_fn(fn_args): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    before = specifications(settings("model.run_fn=stf_user_model.run_fn"))
    (tmp_path / "stf_user_model.py").write_text("def run_fn(fn_args): 1\n")
    assert changed(before, specifications(settings("model.run_fn=stf_user_model.run_fn"))) == {"Trainer", "Pusher"}


def test_changed_code_that_prepares_the_data_reaches_example_gen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stf_user_data.py").write_text("def prepare(source, target): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    before = specifications(settings("data.prepare=stf_user_data.prepare"))
    (tmp_path / "stf_user_data.py").write_text("def prepare(source, target): 1\n")
    assert changed(before, specifications(settings("data.prepare=stf_user_data.prepare"))) == {"ExampleGen", "Pusher"}


def test_a_wrong_path_of_the_function_that_prepares_the_data_names_the_nearest() -> None:
    with pytest.raises(SettingsError, match=r"(?s)data.prepare.*Did you mean components.public_data.adult.prepare\?"):
        create_pipeline(settings("data.prepare=components.public_data.adult.prepar"))


@pytest.mark.parametrize(
    ("override", "nodes"),
    [
        ("training.epochs=7", {"Trainer", "Pusher"}),
        ("features.fare.log=false", {"Transform", "Trainer", "Pusher"}),
        ("data.splits.train=3", {"ExampleGen", "Pusher"}),
        ("evaluation.thresholds.auc.lower=0.5", {"Evaluator", "Pusher"}),
        ("smoke_check.examples=5", {"SmokeCheck"}),
        ("engine.kind=direct", set()),
        ("logging.level=debug", set()),
        ("runner.parallel_nodes=1", set()),
    ],
)
def test_a_changed_setting_reaches_only_the_nodes_that_it_concerns(override: str, nodes: set[str]) -> None:
    assert changed(specifications(settings()), specifications(settings(override))) == nodes


def test_another_stack_makes_everything_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    before = specifications(settings())
    monkeypatch.setattr(cache_key, "_stack", lambda: "another")
    assert changed(before, specifications(settings())) == before.keys() - {"LatestBlessed"}


def test_the_curated_schema_is_known_by_its_content(tmp_path: Path) -> None:
    schema = tmp_path / "schema.pbtxt"
    schema.write_text('feature { name: "fare" type: FLOAT }')
    before = specifications(settings(f"schema.path={schema}"))
    schema.write_text('feature { name: "fare" type: INT }')
    assert changed(before, specifications(settings(f"schema.path={schema}"))) == {"ImportSchemaGen"}


def test_an_engine_for_a_node_that_is_not_there() -> None:
    with pytest.raises(SettingsError, match="(?s)does not have.*engine.nodes.Transfrom.*Is it Transform[?]"):
        create_pipeline(settings("engine.nodes={Transfrom: direct}"))
    create_pipeline(settings("engine.nodes={Transform: direct}"))
