"""`scalable-tf release`: what each command prints, does and ends with."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from runners.cli import main
from serving import canary_watch
from serving.blessing import Blessing, Failure
from serving.canary import Verdict, decide
from serving.releases import ReleaseStore
from serving.served_models import ServedModels, labels_of, with_model
from tests.signal_handler import signal_handler
from tests.unit.serving.conftest import make_provenance, make_source
from tests.unit.serving.model_server import AVAILABLE, ModelServer, running
from tests.unit.serving.page_server import page_server
from tests.unit.serving.prediction_server import Predictions

Run = Callable[..., tuple[int, str, str]]
REFUSED = Blessing(blessed=False, failures=(Failure(slice="Overall", metric="auc", value=0.5, bound="at least 0.9"),))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three versions; the third one is not blessed."""
    store, source = ReleaseStore(tmp_path / "releases", "taxi"), make_source(tmp_path / "model")
    for version in (1, 2, 3):
        blessing = REFUSED if version == 3 else Blessing(blessed=True)
        store.publish(source, make_provenance(run_id=f"run-{version}", spans=(version,), blessing=blessing))
    return tmp_path / "releases"


@pytest.fixture
def run(root: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(action: str, *options: str) -> tuple[int, str, str]:
        code = main(["release", action, *options, "--releases", str(root), "--model", "taxi"])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def predictions(root: Path) -> Iterator[Predictions]:
    """A model server on the folder."""
    server = ModelServer()
    server.start_with(with_model(ModelServerConfig(), "taxi", str(root / "taxi"), labels={}, versions=None))
    found = Predictions(server)
    with running(server, found.add):
        yield found


@pytest.fixture
def requests(tmp_path: Path) -> str:
    path = tmp_path / "requests.jsonl"
    path.write_text("".join(f'{{"instances": [{{"x": {x}.5}}]}}\n' for x in range(10)))
    return str(path)


def labels(root: Path) -> dict[str, int]:
    return labels_of(ServedModels(root).config(), "taxi")


def test_list_shows_versions_with_labels_run_metrics_and_blessing(run: Run) -> None:
    run("promote", "1")
    code, out, _ = run("list")
    lines = [line.split() for line in out.splitlines()]
    assert code == 0
    assert lines[0] == ["Version", "Labels", "Created", "(UTC)", "Run", "Blessed", "Metrics"]
    assert [line[0] for line in lines[1:]] == ["3", "2", "1"]
    assert lines[1][-4:] == ["run-3", "no", "auc", "0.9"]
    assert (lines[3][1], lines[3][-4:]) == ("stable", ["run-1", "yes", "auc", "0.9"])


def test_list_as_json(run: Run) -> None:
    run("promote", "2")
    found = json.loads(run("list", "--json")[1])
    assert found["labels"] == {"stable": 2}
    newest, second, _ = found["versions"]
    assert (newest["version"], newest["labels"], newest["blessing"]["blessed"]) == (3, [], False)
    assert (second["labels"], second["run_id"], second["metrics"]) == (["stable"], "run-2", {"auc": 0.9})


def test_list_goes_on_where_a_record_cannot_be_read(run: Run, root: Path) -> None:
    (root / "taxi/2/release.json").write_text("{")
    code, out, _ = run("list")
    assert code == 0
    assert "release.json cannot be read" in out


def test_show_has_the_record_and_the_history(run: Run) -> None:
    run("promote", "1", "--reason", "first")
    run("promote", "2", "--reason", "better")
    found = json.loads(run("show", "stable", "--json")[1])
    assert (found["version"], found["release"]["run_id"], found["labels"]) == (2, "run-2", ["stable"])
    (line,) = found["history"]
    assert (line["from"], line["to"], line["why"]) == (1, 2, "better")
    code, out, _ = run("show", "1")
    assert code == 0
    assert out.count("promote stable") == 2
    assert "why: first" in out
    assert "saved_model" not in out


def test_show_says_why_a_version_is_not_blessed(run: Run) -> None:
    assert "failed: auc of Overall is 0.5, at least 0.9" in run("show", "latest")[1]


def test_what_a_move_prints_is_what_is_logged(run: Run, root: Path) -> None:
    run("promote", "1")
    code, out, _ = run("promote", "2", "--reason", "better")
    (line,) = (root / "taxi/audit.jsonl").read_text().splitlines()[1:]
    entry = json.loads(line)
    assert code == 0
    assert f"promote stable 1 -> 2 by {entry['who']} on {entry['host']}, why: better" in out


def test_rollback_is_one_command(run: Run, root: Path) -> None:
    run("promote", "1")
    run("promote", "2")
    assert run("rollback")[0] == 0
    assert labels(root) == {"stable": 1}
    run("rollback", "--to", "2")
    assert labels(root) == {"stable": 2}
    code, _, err = run("rollback", "--to", "9")
    assert code == 1
    assert "Received: 9" in err


def test_a_canary_and_its_end(run: Run, root: Path) -> None:
    run("promote", "1")
    assert ", 5 % of the live requests\n" in run("canary", "2", "--percent", "5")[1]
    assert labels(root) == {"stable": 1, "canary": 2}
    run("rollback", "--canary")
    assert labels(root) == {"stable": 1, "canary": 1}


def test_what_becomes_of_the_canary_when_stable_moves_is_said(run: Run) -> None:
    run("promote", "1")
    assert " canary none -> 2 by" in run("canary", "2")[1]
    assert " promote stable 1 -> 2 (canary is 2, too) by" in run("promote", "2")[1]
    assert " rollback stable 2 -> 1 (canary is 1, too) by" in run("rollback")[1]
    run("canary", "3", "--force", "x")
    assert " promote stable 1 -> 2 (canary stays 3, for its label only) by" in run("promote", "2")[1]


def test_a_version_that_is_not_blessed_needs_force(run: Run, root: Path) -> None:
    code, _, err = run("promote", "3")
    assert code == 1
    assert "Version 3 is not blessed" in err
    assert run("promote", "3", "--force", "the only one")[0] == 0
    assert labels(root) == {"stable": 3}


def test_verify_tells_a_changed_byte_with_its_path(run: Run, root: Path) -> None:
    assert run("verify")[0] == 0
    path = root / "taxi/2/variables/variables.index"
    path.write_bytes(b"indeX")
    code, out, _ = run("verify")
    assert code == 4
    assert out.splitlines() == [
        "Version 1: as it was released",
        "Version 2: altered",
        "  variables/variables.index was changed",
        "Version 3: as it was released",
    ]
    assert run("verify", "1", "3")[0] == 0
    faults = json.loads(run("verify", "2", "--json")[1])
    assert [fault["path"] for fault in faults["2"]] == ["variables/variables.index"]
    code, _, err = run("promote", "2", "--force", "x")
    assert code == 1
    assert "variables/variables.index was changed" in err


def test_a_move_is_told_to_a_server(run: Run, root: Path, predictions: Predictions) -> None:
    server = predictions.server
    assert run("promote", "2", "--server", server.address)[0] == 0
    assert server.labels["taxi"] == {"stable": 2}
    server.broken = {1}
    code, _, err = run("promote", "1", "--server", server.address)
    assert code == 1
    assert f"Where: {server.address}" in err
    assert server.labels["taxi"] == labels(root) == {"stable": 2}


def test_what_servers_will_have_is_said_before_they_are_told(run: Run, predictions: Predictions, root: Path) -> None:
    server = predictions.server
    _, _, err = run("promote", "2", "--server", server.address)
    assert f"note: {server.address} will serve taxi and no other model." in err
    _, _, err = run("canary", "1", "--server", server.address, "--keep", f"other={root / 'taxi'}")
    assert f"note: {server.address} will serve other, taxi and no other model." in err
    assert set(server.states["other"]) == {3}
    assert run("rollback", "--canary")[2] == ""


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


@pytest.mark.parametrize("options", [[], ["--releases", "x"], ["--model", "x"], ["-c", "x", "--releases", "x"]])
def test_whose_releases_must_be_clear(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["release", "list", *options]) == 1
    assert "Whose releases is not clear" in capsys.readouterr().err


def test_a_model_is_named_by_its_name_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["release", "list", "--releases", "x", "--model", "../taxi"]) == 1
    assert "This names no model" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        ["promote", "1", "--server", "localhost"],
        ["promote", "1", "--settle-seconds", "-1"],
        ["canary", "1", "--percent", "100"],
        ["canary", "1", "--percent", "ten"],
        ["canary", "1", "--watch-seconds", "ten"],
        ["rollback", "--to"],
    ],
)
def test_a_wrong_option_is_told_by_the_parser(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["release", *options, "--releases", "x", "--model", "taxi"])
    assert end.value.code == 2
    assert re.search(
        rf"argument {options[-2] if len(options) > 2 else options[-1]}: (must be|expected)", capsys.readouterr().err
    )


def test_a_misspelt_model_or_folder_is_told_with_the_nearest_and_what_there_is(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = f"{root}/../releases"
    assert main(["release", "verify", "--releases", given, "--model", "tazi"]) == 1
    assert capsys.readouterr().err == (
        f"error: No model of this name is released in {root}.\n"
        "  Where: --model\n  Received: tazi\n  Fix: Did you mean taxi? There are: taxi.\n"
    )
    assert main(["release", "list", "--releases", f"{root}/none", "--model", "taxi"]) == 1
    assert f"Received: {root}/none\n" in capsys.readouterr().err


def test_what_is_above_a_folder_is_looked_for_where_its_link_leads(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "link").symlink_to(root / "taxi")
    for given in (f"{tmp_path}/elsewhere/link/..", f"{tmp_path}/elsewhere/link/1/../..", f"{root}/taxi/../../releases"):
        assert main(["release", "list", "--releases", given, "--model", "taxi"]) == 0
        assert "run-1" in capsys.readouterr().out


def test_a_model_without_releases(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options: list[Any] = ["--releases", str(tmp_path), "--model", "taxi"]
    assert main(["release", "list", *options]) == 0
    assert "No version of taxi is released" in capsys.readouterr().out
    assert main(["release", "promote", "1", *options]) == 1
    assert "Versions: none; labels: none." in capsys.readouterr().err


def test_a_version_or_label_that_is_not_there_is_told_with_what_is(run: Run, root: Path) -> None:
    run("promote", "2")
    code, _, err = run("show", "canary")
    assert code == 1
    assert "There is no such version or label." in err
    assert "Received: canary\n  Fix: Give one of these. Versions: 1, 2, 3; labels: stable (2)." in err
    (root / "taxi/2").rename(root / "taxi/.gone")
    assert "Received: stable, which is version 2\n" in run("show", "stable")[2]


def test_show_tells_spans_where_there_are_any(run: Run, root: Path, tmp_path: Path) -> None:
    ReleaseStore(root, "taxi").publish(make_source(tmp_path / "spanless"), make_provenance(spans=(0,)))
    assert re.search(r"spans +-\n", run("show", "latest")[1])
    assert re.search(r"spans +2\n", run("show", "2")[1])
