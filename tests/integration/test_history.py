"""runs, lineage and clean, on what real runs left: released, cached, refused, forced, failed and killed ones."""

from __future__ import annotations

import json
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runners.output_lock import output_lock
from tests.integration.command_server import Command, CommandServer, wait_until_gone
from tests.integration.trips import write_trips

FORCED = ("--set", "model.hidden_units=[3]", "--force-bless", "a test of force")
REFUSED = ("--set", "model.hidden_units=[4]")
KILLED = ("--set", "model.hidden_units=[5]", "--set", "training.epochs=2000")
NO_MODEL_IS_GOOD_ENOUGH = ("--set", "evaluation.thresholds.auc.lower=0.9999")


@dataclass
class History:
    """Six runs, oldest first: released, cached, refused, forced, failed, killed."""

    commands: CommandServer
    settings: Path
    output: Path

    def call(self, *argv: str) -> Command:
        return self.commands.run([*argv[:1], *argv[1:], "-c", str(self.settings)])

    def json(self, *argv: str) -> Any:
        ended = self.call(*argv, "--json")
        assert ended.wait() == 0, ended.text
        return json.loads(ended.stdout.read_text())

    def run(self, *options: str) -> Command:
        return self.call("run", *options)


def kill_in_trainer(history: History) -> None:
    """kill -9 of a runner whose Trainer is at work."""
    models = history.output / "artifacts/Trainer/model"
    before = set(models.iterdir())
    command = history.commands.start(["run", "-c", str(history.settings), *KILLED])
    deadline = time.monotonic() + 120
    while not set(models.iterdir()) - before:
        assert time.monotonic() < deadline, command.text
        time.sleep(0.05)
    workers = command.children()
    command.signal(signal.SIGKILL)
    command.wait()
    assert wait_until_gone(workers) == []


@pytest.fixture(scope="module")
def history(commands: CommandServer, tmp_path_factory: pytest.TempPathFactory) -> History:
    folder = tmp_path_factory.mktemp("history")
    made = History(commands, write_trips(folder), folder / "output")
    codes = [
        made.run().wait(),
        made.run().wait(),
        made.run(*REFUSED, *NO_MODEL_IS_GOOD_ENOUGH).wait(),
        made.run(*FORCED, *NO_MODEL_IS_GOOD_ENOUGH).wait(),
        made.run("--set", "data.path=nowhere.csv").wait(),
    ]
    assert codes == [0, 0, 3, 0, 1]
    kill_in_trainer(made)
    return made


def test_the_list_says_how_each_run_ended(history: History) -> None:
    runs = history.json("runs", "list")
    shown = [(run["state"], run["nodes_done"], run["nodes_cached"], run["blessed"], run["release"]) for run in runs]
    assert shown[1:] == [
        ("failed", 0, 0, None, None),
        ("complete", 10, 6, True, 2),
        ("complete", 10, 6, False, None),
        ("complete", 10, 9, True, 1),
        ("complete", 10, 0, True, 1),
    ]
    assert (runs[0]["state"], runs[0]["nodes_done"], runs[0]["nodes"]) == ("died", 6, 10)
    assert runs[1]["error"].startswith("ExampleGen: ")
    assert all(run["seconds"] >= 0 for run in runs)


def test_the_list_is_a_table_with_a_line_a_run(history: History) -> None:
    lines = history.call("runs", "list", "--limit", "2").stdout.read_text().splitlines()
    assert len(lines) == 4, lines
    assert lines[1].split()[1] == "died"
    assert lines[3] == "4 older ones: --limit 6 shows all."


def test_a_failed_run_shows_its_error_and_where_its_log_is(history: History) -> None:
    failed = history.json("runs", "list")[1]["run_id"]
    shown = history.json("runs", "show", failed)
    example_gen, *others = shown["nodes"]
    assert (example_gen["state"], {node["state"] for node in others}) == ("failed", {"not run"})
    assert "nowhere.csv" in example_gen["error"]
    assert Path(example_gen["log"]).name == "ExampleGen.log"
    assert shown["record"]["command"]


def test_the_killed_run_is_shown_by_latest_with_the_node_that_died(history: History) -> None:
    states = {node["node"]: node["state"] for node in history.json("runs", "show", "latest")["nodes"]}
    assert states["Trainer"] == "died"
    assert states["Transform"] == "cached"
    assert states["Pusher"] == "not run"


def test_an_unknown_run_is_an_error_that_names_the_last_ones(history: History) -> None:
    ended = history.call("runs", "show", "never")
    assert ended.wait() == 1
    assert history.json("runs", "list")[0]["run_id"] in ended.text


def test_a_forced_release_leads_through_the_cache_to_the_run_that_read_the_data(history: History) -> None:
    runs = history.json("runs", "list")
    lineage = history.json("lineage", "latest")
    assert lineage["release"]["version"] == 2
    assert lineage["release"]["blessing"]["forced"] == "a test of force"
    made_by = {execution["node"]: execution["run_id"] for execution in lineage["executions"]}
    assert made_by["Transform"] == made_by["ExampleGen"] == runs[-1]["run_id"]
    assert made_by["Trainer"] == made_by["Pusher"] == lineage["release"]["run_id"] == runs[2]["run_id"]
    assert {check["what"]: check["outcome"] for check in lineage["checks"]} == dict.fromkeys(
        ("files", "store", "model", "schema"), "same"
    )
    assert (lineage["data"][0]["files"], sum(lineage["data"][0]["rows"].values())) == ("unchanged", 400)
    assert lineage["schema"]["source"] == "inferred"
    baseline = lineage["release"]["blessing"]["baseline"]
    assert baseline in {artifact["uri"] for artifact in lineage["artifacts"]}


def test_a_release_whose_files_were_changed_is_told_by_text_and_exit_code(history: History, tmp_path: Path) -> None:
    shutil.copytree(history.output / "releases/trips/1", tmp_path / "copy")
    (tmp_path / "copy/assets").mkdir(exist_ok=True)
    (tmp_path / "copy/assets/more").write_text("more")
    ended = history.call("lineage", str(tmp_path / "copy"))
    assert ended.wait() == 4
    assert "assets/more was added" in ended.text
    assert "a copy: it was released to" in ended.text


def test_clean_does_not_wait_for_a_run_and_says_who_holds_the_lock(history: History) -> None:
    with output_lock(history.output, "process 7 on another machine"):
        refused = history.call("clean", "--yes")
    assert refused.wait() == 1
    assert "Received: process 7 on another machine" in refused.text


def test_clean_removes_what_nothing_kept_needs_and_the_rest_comes_from_the_cache(history: History) -> None:
    """The last one: it changes the history."""
    (refused,) = [run["run_id"] for run in history.json("runs", "list") if run["blessed"] is False]
    nodes = history.json("runs", "show", refused)["nodes"]
    own = {output["uri"] for node in nodes if node["state"] == "complete" for output in node["outputs"]
           if node["node"] != "LatestBlessed"}  # fmt: skip
    planned = history.json("clean", "--keep-runs", "1")
    assert {one["path"] for one in planned["remove"] if one["artifacts"]} == own
    assert all(Path(uri).exists() for uri in own)

    done = history.json("clean", "--keep-runs", "1", "--yes")
    assert (done["done"], done["remove"]) == (True, planned["remove"])
    assert not any(Path(one["path"]).exists() for one in done["remove"])
    assert history.json("clean", "--keep-runs", "1")["remove"] == []
    gone = [output for node in history.json("runs", "show", refused)["nodes"] for output in node["outputs"]
            if output["state"] == "deleted"]  # fmt: skip
    assert {output["uri"] for output in gone} == own

    again = history.run()
    assert again.wait() == 0, again.text
    kept = history.json("runs", "show", "latest")["nodes"]
    assert {node["node"] for node in kept if node["state"] != "cached"} <= {"LatestBlessed", "Evaluator", "Pusher"}
    trained = history.run(*REFUSED)
    assert trained.wait() == 0, trained.text
    states = {node["node"]: node["state"] for node in history.json("runs", "show", "latest")["nodes"]}
    assert (states["Transform"], states["Trainer"]) == ("cached", "complete")
