"""A removal, killed at any step too: what ML Metadata takes for live is whole, and the next one ends it."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from runners.cleaning.folders import output_folders
from runners.cleaning.plan import make_plan
from runners.cleaning.removal import mark_deleted, remove_folders
from tests.unit.runners.made_history import MadeHistory


def make(folder: Path) -> MadeHistory:
    """Run 1 made a model that run 2 does not need; the examples are from run 1."""
    made = MadeHistory(folder)
    made.record("1")
    examples = made.ingest("1")
    made.train("1", examples, blessed=0)
    made.record("2")
    made.node("2", "ExampleGen", cached=examples)
    made.train("2", examples, blessed=0)
    return made


def clean(made: MadeHistory) -> int:
    """What the command does; the number of folders removed."""
    folders = output_folders(made.output_dir)
    with made.metadata as metadata:
        plan = make_plan(metadata, "trips", made.output_dir, folders, newest=1)
        mark_deleted(metadata.store, plan)
    remove_folders(made.output_dir, (folder.path for folder in plan.remove))
    return len(plan.remove)


def states(made: MadeHistory) -> dict[str, str]:
    return {artifact.uri.removeprefix(f"{made.output_dir}/artifacts/"): made.state(artifact)
            for artifact in made.store.get_artifacts()}  # fmt: skip


KEPT = {
    "ExampleGen/examples/1": "LIVE",
    "Trainer/model/5": "LIVE", "Evaluator/blessing/6": "LIVE", "Evaluator/evaluation/6": "LIVE",
}  # fmt: skip
GONE = {"Trainer/model/2": "DELETED", "Evaluator/blessing/3": "DELETED", "Evaluator/evaluation/3": "DELETED"}


def test_files_are_gone_and_ml_metadata_knows(tmp_path: Path) -> None:
    made = make(tmp_path)
    assert clean(made) == 3
    assert made.folders() == KEPT.keys()
    assert states(made) == KEPT | GONE


def test_a_second_one_has_nothing_to_do(tmp_path: Path) -> None:
    made = make(tmp_path)
    clean(made)
    assert clean(made) == 0


def test_of_files_that_somebody_removed_ml_metadata_is_told(tmp_path: Path) -> None:
    made = make(tmp_path)
    shutil.rmtree(made.output_dir / "artifacts/Trainer/model/2")
    assert clean(made) == 2
    assert states(made) == KEPT | GONE


def test_a_link_below_goes_and_not_what_it_leads_to(tmp_path: Path) -> None:
    made = make(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/file").write_text("mine")
    (made.output_dir / "artifacts/Trainer/model/2/link").symlink_to(tmp_path / "mine")
    clean(made)
    assert (tmp_path / "mine/file").read_text() == "mine"


@pytest.mark.parametrize("path", ["releases/trips/1", "artifacts/../releases/trips/1", "metadata"])
def test_nothing_else_is_ever_removed(tmp_path: Path, path: str) -> None:
    folder = tmp_path / path
    folder.mkdir(parents=True)
    with pytest.raises(ValueError, match="not below"):
        remove_folders(tmp_path, [str(folder)])
    assert folder.is_dir()


def killed_before_call(number: int, made: MadeHistory) -> bool:
    """Cleans in a child that dies before it asks the file system for the `number`-th time. Returns whether it did."""
    pid = os.fork()
    if pid == 0:
        calls = 0

        def count(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal calls
            root = str(made.output_dir)
            if event != "os.scandir" and any(
                isinstance(one, (str, os.PathLike)) and str(one).startswith(root) for one in arguments
            ):
                calls += 1
                if calls == number:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        try:
            clean(made)
        except BaseException:
            os._exit(1)
        os._exit(0)
    status = os.waitpid(pid, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def hidden(made: MadeHistory) -> list[Path]:
    return list((made.output_dir / "artifacts").rglob(".deleted-*"))


@pytest.mark.slow
def test_a_kill_at_any_step_leaves_only_whole_artifacts_live_and_the_next_clean_ends_it(tmp_path: Path) -> None:
    number = left = 0
    while True:
        number += 1
        made = make(tmp_path / str(number))
        killed = killed_before_call(number, made)
        for place, state in states(made).items():
            folder = made.output_dir / "artifacts" / place
            assert state == "DELETED" or any(path.is_file() for path in folder.rglob("*")), place
        left += bool(hidden(made))
        if not killed:
            break
        clean(made)
        assert made.folders() == KEPT.keys()
        assert states(made) == KEPT | GONE
        assert hidden(made) == []
    # Marking is before the first rename; each of the three folders is renamed and emptied.
    assert number > 8
    assert left >= 3
