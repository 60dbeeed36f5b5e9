"""The plugin in a user's project, found by its entry point as pip installs it, in a pytest of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/testing.md"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what pip records of this tree: the name, the version, the entry points."""
    folder = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "setup.py", "-q", "egg_info", "--egg-base", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


@pytest.fixture
def project(pytester: pytest.Pytester, installed: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project of somebody else's: nothing of this tree is set but the path to it."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(installed), str(ROOT)]))
    monkeypatch.delenv("TF_USE_LEGACY_KERAS")
    # Whatever else is installed here is not installed there.
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:xdist -p no:timeout -p no:hypothesispytest -p no:anyio")
    return pytester


def test_loading_it_imports_nothing_heavy_and_sets_one_variable(project: pytest.Pytester) -> None:
    project.makeconftest("import os; seen = os.environ.get('TF_USE_LEGACY_KERAS')")
    project.makepyfile(
        """
        import sys

        import conftest

        def test_it(pytestconfig):
            assert pytestconfig.pluginmanager.has_plugin("pipeline_testing.plugin")
            heavy = {"apache_beam", "pandas", "pyarrow", "pydantic", "tensorflow", "tfx"}
            assert heavy & set(sys.modules) == set()
            assert conftest.seen == "1"
        """
    )
    project.runpytest_subprocess().assert_outcomes(passed=1)


def test_it_adds_no_options_no_markers_and_no_filters(project: pytest.Pytester) -> None:
    project.makeini("[pytest]\naddopts = --strict-markers --strict-config\nfilterwarnings = error\n")
    project.makepyfile("def test_it(pytestconfig): assert pytestconfig.getini('filterwarnings') == ['error']")
    project.runpytest_subprocess().assert_outcomes(passed=1)
    with_it = project.runpytest_subprocess("--help", "--markers").stdout.str()
    without = project.runpytest_subprocess("--help", "--markers", "-p", "no:pipeline_testing.plugin").stdout.str()
    assert with_it == without


def test_it_can_be_switched_off_and_named_twice(project: pytest.Pytester) -> None:
    project.makepyfile("import os\ndef test_it(): assert 'TF_USE_LEGACY_KERAS' not in os.environ")
    project.runpytest_subprocess("-p", "no:pipeline_testing.plugin").assert_outcomes(passed=1)
    project.makepyfile("import os\ndef test_it(): assert os.environ['TF_USE_LEGACY_KERAS'] == '1'")
    project.runpytest_subprocess("-p", "pipeline_testing.plugin").assert_outcomes(passed=1)


def test_a_project_may_have_packages_of_the_same_names(project: pytest.Pytester) -> None:
    for name in ("testing", "schemas", "models", "configs"):
        project.mkpydir(name)
    project.makepyfile("import models, schemas, testing\ndef test_it(): pass")
    project.runpytest_subprocess().assert_outcomes(passed=1)


def test_another_keras_is_left_alone_and_said(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", "0")
    project.makepyfile(
        """
        import os

        def test_of_somebody_else(): assert os.environ["TF_USE_LEGACY_KERAS"] == "0"

        def test_of_ours(run_component): pass
        """
    )
    result = project.runpytest_subprocess()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*SetupError: TensorFlow would use Keras 3, with which this package cannot train.",
            "*Where: the environment variable TF_USE_LEGACY_KERAS",
            "*Received: 0",
            "*Fix: Unset it, or set it to 1, where pytest is started: TF_USE_LEGACY_KERAS=1 pytest",
        ]
    )


def blocks() -> Iterator[tuple[str, str]]:
    """File name and content of each complete example of the page."""
    for code in re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
        name = re.match(r"# (test_\w+\.py)\n", code)
        assert name is not None, code[:80]
        yield name.group(1), code


FAILING = """
from test_features import preprocessing_fn


def test_it(assert_serving_equals_training):
    assert_serving_equals_training(preprocessing_fn, [{"fare": 1.0}, {"fare": 3.0}])
"""


def test_the_pages_examples_work_and_its_message_is_true(project: pytest.Pytester) -> None:
    examples = dict(blocks())
    assert list(examples) == ["test_validation.py", "test_features.py", "test_release.py"]
    for name, code in {**examples, "test_failing.py": FAILING}.items():
        (project.path / name).write_text(code, encoding="utf-8")
    count = sum(code.count("\ndef test_") for code in examples.values())

    result = project.runpytest_subprocess("-q", "--durations=10")

    result.assert_outcomes(passed=count, failed=1)
    (message,) = re.findall(r"^```\n(Serving .*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    # As pytest shows an error: the first line after its class, the others below.
    shown = [line.removeprefix("E").strip() for line in result.stdout.lines]
    expected = [line.strip() for line in message.splitlines()]
    start = shown.index(f"AssertionError: {expected[0]}")
    assert [expected[0], *shown[start + 1 : start + len(expected)]] == expected
    # The failure is the test's line, not the inside of the fixture.
    assert "serving_equals_training.py" not in result.stdout.str()
