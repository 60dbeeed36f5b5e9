from __future__ import annotations

import io
import marshal
from pathlib import Path

import pytest
from rich.console import Console

from runners.local import RunResult
from runners.node import NodeOutcome, Output
from runners.profile_report import NodeProfile, print_profiles

# Calls, primitive calls, own seconds, seconds with what it calls, callers.
TRAINER = {
    ("/env/site-packages/tfx/launcher.py", 7, "launch"): (1, 1, 0.5, 9.0, {}),
    ("~", 0, "<built-in method TFE_Py_Execute>"): (90, 90, 6.0, 6.0, {}),
    ("/src/models/train.py", 40, "train_model"): (1, 1, 2.25, 8.5, {}),
    ("/src/models/plan.py", 3, "of"): (1, 1, 0.25, 0.25, {}),
}
GATE = {("/src/judge.py", 1, "judge"): (1, 1, 1.0, 1.0, {})}


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "profiles"
    folder.mkdir()
    (folder / "Trainer.pstats").write_bytes(marshal.dumps(TRAINER))
    (folder / "AnomalyGate.pstats").write_bytes(marshal.dumps(GATE))
    return tmp_path


def printed(result: RunResult) -> list[str]:
    out = io.StringIO()
    print_profiles(result, Console(file=out, width=120))
    return [" ".join(line.split()) for line in out.getvalue().splitlines()]


def test_seconds_and_the_most_expensive_functions(logs: Path) -> None:
    assert NodeProfile.read(logs / "profiles" / "Trainer.pstats", most=2) == NodeProfile(
        "Trainer", 9.0, [(6.0, "built-in method TFE_Py_Execute"), (2.25, "models/train.py:40 train_model")]
    )


def test_the_slowest_node_comes_first(logs: Path) -> None:
    assert printed(RunResult("run", logs)) == [
        "Where the time went",
        "node seconds own seconds of the function",
        "Trainer 9.0 6.0 built-in method TFE_Py_Execute",
        "2.2 models/train.py:40 train_model",
        "0.5 tfx/launcher.py:7 launch",
        "AnomalyGate 1.0 1.0 src/judge.py:1 judge",
        f"Profiles: {logs}/profiles",
    ]


def test_nodes_from_the_cache_are_named_with_the_way_around_it(logs: Path) -> None:
    outcomes = {name: NodeOutcome(name, "cached", 1) for name in ("StatisticsGen", "Transform")}
    (line,) = [line for line in printed(RunResult("run", logs, outcomes)) if line.startswith("From")]
    assert line.startswith("From the cache: StatisticsGen, Transform. With --set runner.cache=false")


def test_the_trace_of_the_training(logs: Path) -> None:
    (logs / "model run/plugins/profile/now").mkdir(parents=True)
    trained = NodeOutcome("Trainer", "complete", 1, {"model_run": [Output(f"{logs}/model run", {})]})
    assert printed(RunResult("run", logs, {"Trainer": trained}))[-1].endswith(f"--logdir '{logs}/model run'")


def test_a_training_that_left_no_trace_is_not_mentioned(logs: Path) -> None:
    trained = NodeOutcome("Trainer", "complete", 1, {"model_run": [Output(str(logs), {})]})
    assert not [line for line in printed(RunResult("run", logs, {"Trainer": trained})) if "TensorBoard" in line]


def test_a_run_in_which_nothing_was_left_to_do(tmp_path: Path) -> None:
    assert printed(RunResult("run", tmp_path)) == ["Nothing was profiled: no node came to an end in this run."]
