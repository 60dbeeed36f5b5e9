from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from rich.console import Console
from tfx.types import standard_artifacts

from components.example_gen.fingerprint import fingerprint
from runners.history.known_release import read_release
from runners.history.lineage import Lineage, add_lineage
from runners.history.lineage_text import print_lineage
from runners.history.release_checks import check_files
from serving.release import Release
from tests.unit.runners.made_history import MadeHistory

pytestmark = pytest.mark.slow


@pytest.fixture
def made(tmp_path: Path) -> MadeHistory:
    """Version 1, and version 2 of a run that took ExampleGen from the cache and had version 1's model as baseline."""
    (tmp_path / "data.csv").write_text("a\n1\n")
    made = MadeHistory(tmp_path)
    made.record("1")
    examples = made.node(
        "1",
        "ExampleGen",
        {},
        {"examples": standard_artifacts.Examples},
        properties={
            "input_base": str(tmp_path),
            "input_config": json.dumps({"splits": [{"name": "data", "pattern": "data.csv"}]}),
        },
        input_fingerprint=fingerprint([str(tmp_path / "data.csv")]),
        rows='{"train": 1}',
    )[1]
    first = made.train("1", examples)
    made.release("1", first, examples)
    made.record("2")
    made.node("2", "ExampleGen", cached=examples)
    made.release("2", made.train("2", examples, first["model"]), examples)
    return made


@pytest.fixture
def lineage(made: MadeHistory) -> Callable[..., Lineage]:
    def of(version: int = 2, path: Path | None = None) -> Lineage:
        folder = path or made.output_dir / f"releases/trips/{version}"
        release = Release.load(folder)
        found = Lineage(release.model_dump(mode="json"), str(folder), checks=[check_files(release, folder)])
        with made.metadata as metadata:
            known = read_release(metadata.store, release)
        add_lineage(found, release, known)
        return found

    return of


def outcomes(lineage: Lineage) -> dict[str, str]:
    return {check.what: check.outcome for check in lineage.checks}


def test_a_release_leads_to_the_executions_that_really_made_it(lineage: Callable[..., Lineage]) -> None:
    # 1 to 4: ExampleGen, Trainer, Evaluator and Pusher of the first run; 5 to 8 of the second, 5 from the cache.
    executions = {execution.id: (execution.node, execution.run_id) for execution in lineage().executions}
    assert executions == {
        1: ("ExampleGen", "1"), 6: ("Trainer", "2"), 7: ("Evaluator", "2"), 8: ("Pusher", "2"),
    }  # fmt: skip


def test_a_baseline_is_named_but_not_what_it_was_made_of(lineage: Callable[..., Lineage]) -> None:
    found = lineage()
    (edge,) = [edge for edge in found.edges if edge.key == "baseline_model"]
    assert (edge.execution, edge.kind) == (7, "input")
    assert [artifact.type for artifact in found.artifacts if artifact.id == edge.artifact] == ["Model"]
    assert "Trainer/model/2" not in [edge.key for edge in found.edges if edge.kind == "output"]


def test_the_data_are_named_with_their_rows_and_compared(lineage: Callable[..., Lineage], made: MadeHistory) -> None:
    (data,) = lineage().data
    assert (data.path, data.rows, data.files) == (str(made.folder / "data.csv"), {"train": 1}, "unchanged")
    (made.folder / "data.csv").write_text("a\n2\n")
    assert lineage().data[0].files == "changed"
    (made.folder / "data.csv").unlink()
    assert lineage().data[0].files == "gone"


def test_all_agrees_with_release_json(lineage: Callable[..., Lineage]) -> None:
    assert outcomes(lineage()) == {"files": "same", "store": "same", "model": "same"}


def test_a_file_that_was_changed_in_the_release_is_named(lineage: Callable[..., Lineage], made: MadeHistory) -> None:
    (made.output_dir / "releases/trips/2/saved_model.pb").write_text("other")
    (check,) = [check for check in lineage().checks if check.what == "files"]
    assert (check.outcome, check.message) == ("differs", "saved_model.pb was changed")


def test_a_trained_model_that_was_changed_or_removed_is_told(
    lineage: Callable[..., Lineage], made: MadeHistory
) -> None:
    model = made.output_dir / "artifacts/Trainer/model/6"
    (model / "Format-Serving/saved_model.pb").write_text("other")
    assert outcomes(lineage())["model"] == "differs"
    shutil.rmtree(model)
    found = lineage()
    assert outcomes(found)["model"] == "gone"
    assert [artifact.on_disk for artifact in found.artifacts if artifact.uri == str(model)] == ["gone"]


def test_a_copy_says_where_it_was_released(lineage: Callable[..., Lineage], made: MadeHistory, tmp_path: Path) -> None:
    shutil.copytree(made.output_dir / "releases/trips/2", tmp_path / "copy")
    found = lineage(path=tmp_path / "copy")
    assert found.known
    (check,) = [check for check in found.checks if check.what == "store"]
    assert check.message == f"a copy: it was released to {made.output_dir}/releases/trips/2"


def test_a_release_of_another_store_is_what_its_record_says(
    lineage: Callable[..., Lineage], made: MadeHistory, tmp_path: Path
) -> None:
    other = MadeHistory(tmp_path / "other")
    other.record("elsewhere")
    examples = other.ingest("elsewhere")
    other.release("elsewhere", other.train("elsewhere", examples), examples)
    found = lineage(path=other.output_dir / "releases/trips/1")
    assert (found.known, found.artifacts) == (False, [])
    assert outcomes(found) == {"files": "same", "run": "unknown"}
    assert found.missing == "The store does not know run elsewhere: the release was made with another one."
    assert found.release["metrics"] == {"Overall": {"auc": 0.75}}


def test_a_release_whose_run_was_killed_before_it_said_so_is_traced_all_the_same(
    lineage: Callable[..., Lineage], made: MadeHistory
) -> None:
    made.record("3", "running")
    examples = made.ingest("3")
    model = made.train("3", examples)
    made.node("3", "Pusher", {**model, **examples}, {"pushed_model": standard_artifacts.PushedModel}, state="running")
    made.publish("3", model)
    found = lineage(3)
    assert {execution.node for execution in found.executions} >= {"ExampleGen", "Trainer", "Pusher"}
    assert outcomes(found)["store"] == "unknown"


def test_json_has_all_of_it(lineage: Callable[..., Lineage]) -> None:
    found = json.loads(json.dumps(asdict(lineage())))
    assert found.keys() == {
        "release", "path", "known", "missing", "checks", "data", "schema", "pusher", "executions", "artifacts", "edges",
    }  # fmt: skip
    assert found["checks"][0].keys() == {"what", "outcome", "message"}
    assert found["data"][0].keys() == {"artifact", "path", "fingerprint", "span", "rows", "files"}
    assert found["executions"][0].keys() == {"id", "node", "run_id", "started", "seconds"}
    assert found["artifacts"][0].keys() == {"id", "type", "uri", "state", "on_disk"}
    assert found["edges"][0].keys() == {"execution", "artifact", "key", "kind"}


def test_the_text_leads_from_the_release_to_the_data(lineage: Callable[..., Lineage]) -> None:
    shown = io.StringIO()
    print_lineage(lineage(), Console(width=200, file=shown))
    text = shown.getvalue()
    assert "Release 2 of trips" in text
    assert "metrics    auc 0.75" in text
    assert (
        text.index("Pusher, execution 8") < text.index("Trainer, execution 6") < text.index("ExampleGen, execution 1")
    )
    assert "ExampleGen, execution 1 of run 1, taken from the cache" in text
