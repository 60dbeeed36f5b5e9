"""What a run says at its end."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from components.pusher.executor import DESTINATION_PROPERTY
from components.smoke_check.report import Latency, Report
from configs.load import load_settings
from runners.local import RunResult
from runners.node import NodeOutcome, Output
from runners.report import _classes_table, print_report
from serving.blessing import Blessing

MINIMAL = Path(__file__).parents[3] / "configs/minimal.yaml"


def test_classes_with_their_rows_precision_recall_and_confusion() -> None:
    out = io.StringIO()
    # 10 cats, of which 8 are seen as cats, 2 as dogs; 5 dogs, of which 1 is seen as a cat; no cow.
    Console(file=out, width=100).print(_classes_table([[8, 2, 0], [1, 4, 0], [0, 0, 0]], ("cat", "[dog]", "cow")))
    lines = [line.split() for line in out.getvalue().splitlines()]
    assert lines[1:] == [
        ["cat", "10", "0.8889", "0.8000", "[dog]"],
        ["[dog]", "5", "0.6667", "0.8000", "cat"],
        ["cow", "0", "-", "-", "-"],
    ]


def test_the_spans_of_a_window_are_told_from_the_oldest() -> None:
    out = io.StringIO()
    examples = [Output(f"/examples/{span}", {"span": span}) for span in (19785, 19783)]
    result = RunResult(
        "run", Path("/logs"), {"SpanWindow": NodeOutcome("SpanWindow", "complete", 1, {"examples": examples})}
    )
    settings = load_settings([MINIMAL], ["data.path=/data/{YYYY}-{MM}-{DD}.csv", "window.spans=3"], {})
    print_report(result, settings, "run", Console(file=out, width=100))
    assert out.getvalue().splitlines()[0] == "Window: spans 19783 (2024-03-01), 19785 (2024-03-03)"


def test_a_model_that_failed_the_smoke_check_is_told_of_with_the_way_to_try_again(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text('{"Overall": {"auc": 0.75, "example_count": 10.0}}')
    (tmp_path / "blessing.json").write_text(Blessing(blessed=True).model_dump_json())
    fault = "gRPC is slow: p99 of requests of one row is 12 ms, must be at most 10 (smoke_check.max_latency_ms)"
    measured = Latency(p50=2.0, p99=12.0, requests=100)
    Report(faults=(fault,), latency_ms={"gRPC": measured}, max_latency_ms=10.0).save(tmp_path / "report.json")
    folder = {key: [Output(str(tmp_path), {})] for key in ("evaluation", "blessing", "model_run")}
    outcomes = {node: NodeOutcome(node, "complete", 1, folder) for node in ("Trainer", "Evaluator", "SmokeCheck")}
    pushed = {"pushed_model": [Output("/pushed", {"pushed": 0, "reason": f"smoke check failed: {fault}"})]}
    outcomes["Pusher"] = NodeOutcome("Pusher", "complete", 2, pushed)
    (tmp_path / "stopped_early.txt").write_text("Stopped early, after epoch 7.")
    out = io.StringIO()
    settings = load_settings([MINIMAL], [], {})
    result = RunResult("run", Path("/logs"), outcomes)
    assert not print_report(result, settings, "bin/scalable-tf run -c FILE", Console(file=out, width=100))
    lines = out.getvalue().splitlines()
    place = lines.index("The smoke check failed, so nothing was released.")
    assert lines[place + 1 : place + 3] == [f"  {fault}", f"All of it: {tmp_path / 'report.json'}"]
    assert lines[0] == "Training: Stopped early, after epoch 7."
    assert not [line for line in lines if line.startswith("Release:")]
    assert lines[-4:] == [
        "  # the smoke check again; no other node runs",
        "  bin/scalable-tf run -c FILE",
        "  # or with a higher limit, where 12 ms are good enough",
        "  bin/scalable-tf run -c FILE --set smoke_check.max_latency_ms=15",
    ]
    assert "--force-bless" not in out.getvalue()


def test_a_release_that_is_not_stable_is_told_of_with_the_way_to_make_it_so(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text('{"Overall": {"auc": 0.75, "example_count": 10.0}}')
    (tmp_path / "blessing.json").write_text(Blessing(blessed=True).model_dump_json())
    releases = tmp_path / "releases"
    (releases / "taxi").mkdir(parents=True)
    folder = {key: [Output(str(tmp_path), {})] for key in ("evaluation", "blessing", "model_run")}
    outcomes = {node: NodeOutcome(node, "complete", 1, folder) for node in ("Trainer", "Evaluator")}
    pushed = {"pushed_model": [Output("/pushed", {"pushed": 1, DESTINATION_PROPERTY: str(releases / "taxi" / "3")})]}
    outcomes["Pusher"] = NodeOutcome("Pusher", "complete", 2, pushed)
    result = RunResult("run", Path("/logs"), outcomes)
    promotion = f"bin/scalable-tf release promote 3 --releases {releases} --model taxi"

    def told() -> str:
        out = io.StringIO()
        assert print_report(result, load_settings([MINIMAL], [], {}), "bin/scalable-tf run", Console(file=out))
        return out.getvalue()

    assert "promote" not in told()  # without labels, servers take the newest
    (releases / "models.config").write_text(
        'model_config_list { config { name: "taxi" base_path: "/releases/taxi" model_platform: "tensorflow"'
        ' version_labels { key: "stable" value: 2 } } }'
    )
    assert "the release in the place of 2, which is `stable` and served until then" in told()
    assert promotion in told()
    (releases / "models.config").write_text((releases / "models.config").read_text().replace("value: 2", "value: 3"))
    assert "promote" not in told()
