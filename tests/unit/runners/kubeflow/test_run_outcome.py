from __future__ import annotations

from pathlib import Path

import pytest

from configs.load import load_settings
from configs.settings import Settings
from runners.kubeflow.run_outcome import RunOutcome, tell_outcome
from tests.unit.runners.kubeflow.clusters import ROOT
from tests.unit.runners.test_webhook import server

FAILED = RunOutcome("minimal", "run-1", "failed", "Trainer", "It failed.")
COMPLETE = RunOutcome("minimal", "run-1", "complete", release=3)


def settings(folder: Path, webhook: str = "null") -> Settings:
    overrides = [f"output_dir={folder}", f"kubeflow.webhook={webhook}"]
    return load_settings([ROOT / "configs/minimal.yaml"], overrides, {})


@pytest.mark.parametrize("is_begun", [True, False])
def test_an_outcome_is_told_once_however_often_the_task_is_repeated(is_begun: bool, tmp_path: Path) -> None:
    (tmp_path / ("logs/run-1" if is_begun else "logs")).mkdir(parents=True)
    with server(200, 200) as (address, got):
        given = settings(tmp_path, "${HOOK}")
        tell_outcome(given, FAILED, {"HOOK": address})
        tell_outcome(given, FAILED, {"HOOK": address})
        tell_outcome(given, COMPLETE, {"HOOK": address})  # it was repeated there, and went well
    assert [(one["run_id"], one["outcome"], one["release"]) for one in got] == [
        ("run-1", "failed", None),
        ("run-1", "complete", 3),
    ]


def test_without_a_place_to_remember_it_is_told_all_the_same(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "not").write_text("a folder")
    with server(200) as (address, got):
        tell_outcome(settings(tmp_path / "not/mounted", "${HOOK}"), FAILED, {"HOOK": address})
    assert len(got) == 1
    assert "cannot be remembered" in caplog.text


def test_an_address_of_a_secret_is_told(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    with server(200) as (address, got):
        tell_outcome(settings(tmp_path), FAILED, {"SCALABLE_TF_WEBHOOK": address})  # that of another pipeline
        assert got == []
        secret = "kubeflow.webhook_secret={secret: chat, key: address}"
        given = load_settings([ROOT / "configs/minimal.yaml"], [f"output_dir={tmp_path}", secret], {})
        tell_outcome(given, FAILED, {"SCALABLE_TF_WEBHOOK": address})
    assert len(got) == 1


@pytest.mark.parametrize("is_begun", [True, False])
def test_what_records_say_is_told_after_what_was_told_without_them(is_begun: bool, tmp_path: Path) -> None:
    (tmp_path / ("logs/run-1" if is_begun else "logs")).mkdir(parents=True)
    unread = RunOutcome("minimal", "run-1", "complete", "end", "The store is away.")
    with server(*[200] * 4) as (address, got):
        for outcome in (unread, unread, COMPLETE, unread):
            tell_outcome(settings(tmp_path, "${HOOK}"), outcome, {"HOOK": address})
    assert [one["task"] for one in got] == ["end", ""]


def test_a_webhook_whose_variable_is_not_set_is_said_and_not_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tell_outcome(settings(tmp_path, "https://hooks.example/${HOOK}"), FAILED, {})
    assert "The webhook at hooks.example cannot be called" in caplog.text
    assert list(tmp_path.iterdir()) == []


def test_whoever_does_not_have_the_secret_with_the_address_says_so_and_how_to_mend_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = ROOT / "configs/minimal.yaml"
    secret = "kubeflow.webhook_secret={secret: chat, key: address}"
    given = load_settings([file], [f"output_dir={tmp_path}", secret], {})
    tell_outcome(given, FAILED, {})
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert "not told that run run-1 is failed" in record.message
    assert "the Secret chat" in record.message
    assert "Set the variable SCALABLE_TF_WEBHOOK" in record.message
    assert list(tmp_path.iterdir()) == []
    with server(200) as (address, got):  # it is told when somebody has it
        tell_outcome(given, FAILED, {"SCALABLE_TF_WEBHOOK": address})
    assert len(got) == 1
