from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import pytest

from benchmarks.stock import switch_on
from schemas.errors import SetupError


@pytest.fixture(scope="module")
def definition() -> str:
    found = importlib.util.find_spec("tfx")
    assert found is not None
    assert found.submodule_search_locations
    folder = Path(found.submodule_search_locations[0])
    return (folder / "experimental/templates/taxi/pipeline/pipeline.py").read_text()


def test_every_component_of_the_installed_template_is_in_the_pipeline(definition: str) -> None:
    appended = [
        ast.unparse(node.args[0])
        for node in ast.walk(ast.parse(switch_on(definition)))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "components.append"
    ]

    assert sorted(appended) == [
        "evaluator",
        "example_gen",
        "example_validator",
        "model_resolver",
        "pusher",
        "schema_gen",
        "schema_gen",  # inferred, or imported: one for each branch
        "statistics_gen",
        "trainer",
        "transform",
    ]


def test_the_validator_runs_with_an_inferred_schema(definition: str) -> None:
    (function,) = [node for node in ast.parse(switch_on(definition)).body if isinstance(node, ast.FunctionDef)]

    unconditional = [ast.unparse(statement) for statement in function.body]

    assert "components.append(example_validator)" in unconditional


def test_another_template_is_refused() -> None:
    with pytest.raises(SetupError, match="another taxi template"):
        switch_on("components = []\n")
