"""`release canary --watch`: what it watches, and what it decides."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import Any

import pytest

from serving import canary_watch
from serving.canary import Verdict, decide
from serving.served_models import ServedModels, with_model
from tests.signal_handler import signal_handler
from tests.unit.runners.commands.release.conftest import Run
from tests.unit.runners.commands.release.moved_labels import labels
from tests.unit.serving.model_server import AVAILABLE
from tests.unit.serving.page_server import page_server
from tests.unit.serving.prediction_server import Predictions


def test_a_model_that_clients_asked_for_is_not_unloaded_for_a_canary(
    run: Run, predictions: Predictions, root: Path
) -> None:
    server = predictions.server
    run("promote", "1", "--server", server.address)
    server.states["tip"] = {1: AVAILABLE}
    metrics = b':tensorflow:serving:request_count{model_name="tip",status="OK"} 3\n'
    with page_server(metrics, b'{"models": {}}') as url:
        code, _, err = run("canary", "2", "--watch", "--live", url, "--server", server.address)
    assert (code, labels(root)) == (1, {"stable": 1})
    assert "would unload them: tip." in err


def watch(run: Run, predictions: Predictions, requests: str, *more: str) -> tuple[int, str, str]:
    server = ("--server", predictions.server.address)
    run("promote", "1", *server)
    # The times of a test's machine decide nothing.
    limits = ("--minimum-requests", "200", "--latency-increase", "30")
    return run("canary", "2", "--watch", "--requests", requests, "--percent", "50", *server, *limits, *more)


@pytest.mark.slow
def test_a_good_canary_is_promoted(run: Run, root: Path, predictions: Predictions, requests: str) -> None:
    code, out, err = watch(run, predictions, requests)
    told, *progress = err.splitlines()
    assert (code, told.startswith("note: "), "requests: " in out) == (0, True, False)
    assert re.match(r"50 requests: keep watching: stable gave \d+ answers, canary \d+;", progress[0])
    assert ": promote: " in progress[-1]
    assert predictions.server.labels["taxi"] == labels(root) == {"stable": 2, "canary": 2}
    assert "why: canary: error rate 0, stable 0; p99 of latency" in out


@pytest.mark.slow
def test_a_bad_canary_is_rolled_back(run: Run, root: Path, predictions: Predictions, requests: str) -> None:
    predictions.answers[2] = lambda x: -x
    code, out, err = watch(run, predictions, requests)
    assert code == 5
    assert "allow it with --psi" in err
    assert predictions.server.labels["taxi"] == labels(root) == {"stable": 1, "canary": 1}
    assert "rollback canary 2 -> 1" in out


def test_what_servers_keep_is_read_again_when_a_canary_ends(
    run: Run, root: Path, predictions: Predictions, requests: str, tmp_path: Path
) -> None:
    other = tmp_path / "other/releases/tip"
    for version in "12":
        (other / version).mkdir(parents=True)
    served = ServedModels(other.parent)

    def promote(version: int) -> None:
        served.write(with_model(served.config(), "tip", str(other), labels={"stable": version}, versions=[1, 2]))

    def fail(x: float) -> float:
        promote(2)  # by somebody else, while the canary is watched
        raise ValueError

    promote(1)
    predictions.answers[2] = fail
    code, _, _ = watch(run, predictions, requests, "--keep", f"tip={other}")
    assert (code, labels(root)) == (5, {"stable": 1, "canary": 1})
    assert predictions.server.labels["tip"] == {"stable": 2}


def test_a_canary_without_a_verdict_stays(run: Run, root: Path, predictions: Predictions, requests: str) -> None:
    code, out, _ = watch(run, predictions, requests, "--most-requests", "60")
    assert code == 6
    assert labels(root) == {"stable": 1, "canary": 2}
    assert "Undecided: stable gave" in out
    assert "Version 2 stays canary. Give the command again to go on; scalable-tf release rollback --canary ends" in out


def test_that_a_canary_stays_is_said_where_a_watch_is_interrupted(
    run: Run, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decided(*given: Any) -> Verdict:
        signal.raise_signal(signal.SIGINT)
        return decide(*given)

    monkeypatch.setattr(canary_watch, "decide", decided)
    run("promote", "1")
    with signal_handler(signal.SIGINT, signal.default_int_handler), page_server(b'{"models": {}}') as url:
        code, _, err = run("canary", "2", "--watch", "--live", url, "--percent", "25")
        assert (code, labels(root)) == (130, {"stable": 1, "canary": 2}), err
        assert "note: Version 2 stays canary, and gets 25 % of the live requests. Give the command again" in err
        assert "release rollback --canary ends it.\nStopped by SIGINT.\n" in err
    # Where nothing has moved nothing stays.
    run("rollback", "--canary")
    assert "stays canary" not in run("canary", "2", "--watch", "--live", "http://127.0.0.1:1")[2]


def test_a_file_of_requests_that_cannot_be_read_is_told_before_anything_moves(
    run: Run, root: Path, predictions: Predictions, tmp_path: Path
) -> None:
    code, _, err = watch(run, predictions, str(tmp_path / "none"))
    assert code == 1
    assert "No such file" in err
    assert labels(root) == {"stable": 1}


@pytest.mark.parametrize("options", [["--requests", "x"], ["--server", "localhost:1"], []])
def test_watching_needs_requests_and_a_server(run: Run, options: list[str]) -> None:
    code, _, err = run("canary", "2", "--watch", *options)
    assert code == 1
    assert "There is nothing to watch" in err


def test_what_is_live_is_asked_before_a_label_moves(run: Run, root: Path) -> None:
    run("promote", "1")
    code, _, err = run("canary", "2", "--watch", "--live", "http://127.0.0.1:1")
    assert (code, labels(root)) == (1, {"stable": 1})
    assert "Where: http://127.0.0.1:1/monitoring/canary\n" in err
    code, _, err = run("canary", "2", "--watch", "--live", "http://127.0.0.1:1", "--canary-live", "http://127.0.0.1:2")
    assert (code, labels(root)) == (1, {"stable": 1})
    assert "Where: http://127.0.0.1:1/monitoring/prometheus/metrics\n" in err


def test_an_address_with_a_password_is_refused_and_not_told(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("canary", "2", "--watch", "--live", "http://ann:secret@127.0.0.1:1")
    told = capsys.readouterr().err
    assert "without a user and a password" in told
    assert "secret" not in told


@pytest.mark.parametrize("options", [["--live", "http://127.0.0.1:1"], ["--requests", "x"]])
def test_what_would_not_be_watched_is_refused(run: Run, options: list[str]) -> None:
    code, _, err = run("canary", "2", *options)
    assert code == 1
    assert f"Where: {options[0]}\n" in err
    assert "Add --watch" in err


def test_servers_of_the_canary_alone_are_no_comparison(run: Run, requests: str) -> None:
    options = ["--server", "localhost:1", "--requests", requests, "--canary-live", "http://127.0.0.1:1"]
    code, _, err = run("canary", "2", "--watch", *options)
    assert code == 1
    assert "Name them, too: --live" in err
