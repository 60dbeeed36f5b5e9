"""What a run says at its end: metrics with slices, the blessing with its reasons, the release, and what to do next."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from components.evaluator.metrics_table import FILE_NAME as METRICS_FILE
from components.evaluator.metrics_table import OVERALL
from components.example_gen.spans import shown_spans
from components.pusher.executor import DESTINATION_PROPERTY
from components.smoke_check.report import FILE_NAME as SMOKE_CHECK_FILE
from components.smoke_check.report import Report as SmokeCheckReport
from configs.settings import Settings
from configs.training import STOPPED_FILE
from pipeline import nodes
from pipeline.span_window import is_dated
from runners.local import RunResult
from runners.node import Output
from schemas.artifacts import NOTES_PROPERTY
from schemas.errors import ReleaseError
from schemas.features import IntegerLabel, OneHotLabel
from serving.blessing import FILE_NAME as BLESSING_FILE

_SLICES_SHOWN = 10
_UNITS = {"max_latency_ms": "ms", "max_memory_mib": "MiB"}
_MORE = 1.2
"""A limit at what was measured would be missed every other time."""
_CLASSES_SHOWN = 20
_METRICS_SHOWN = (
    *("example_count", "auc", "accuracy", "loss", "calibration", "precision", "recall"),
    *("mean_squared_error", "mean_absolute_error", "mean_label", "mean_prediction"),
)


def print_errors(result: RunResult, command: str, console: Console) -> None:
    """Every node's error as it is, what was therefore not run, and how to go on."""
    for node_id, error in result.errors.items():
        console.print(f"\n[bold red]{node_id} failed.[/]")
        console.print(str(error), markup=False, highlight=False, soft_wrap=True)
    if result.not_run:
        console.print(f"Not run because of that: {', '.join(result.not_run)}", highlight=False)
    console.print(f"Logs: {result.logs}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"When it is mended: {command}", markup=False, highlight=False, soft_wrap=True)


def print_report(result: RunResult, settings: Settings, command: str, console: Console) -> bool:
    """Prints the report of a run whose nodes all ended well.

    Args:
        result: the run.
        settings: its settings.
        command: the command line of this run, for those that are suggested.
        console: where to print.

    Returns:
        Whether the run did what was asked: the model is blessed and released.
    """
    _print_notes(result, console)
    _print_window(result, settings, console)
    if not {nodes.EVALUATOR, nodes.PUSHER} <= result.outcomes.keys():
        console.print(f"Ended after {list(result.outcomes)[-1]}, as asked, in {result.seconds:.1f} s.", highlight=False)
        return True
    evaluation = Path(_only(result, nodes.EVALUATOR, "evaluation").uri)
    metrics: dict[str, dict[str, Any]] = json.loads((evaluation / METRICS_FILE).read_text())
    blessing: dict[str, Any] = json.loads((evaluation / BLESSING_FILE).read_text())
    _print_stopped(result, console)
    console.print(_metrics_table(metrics, settings))
    if isinstance(settings.label, (IntegerLabel, OneHotLabel)) and "confusion_matrix" in metrics[OVERALL]:
        console.print(_classes_table(metrics[OVERALL]["confusion_matrix"], settings.label.class_names))
    console.print(f"All of them: {evaluation / METRICS_FILE}", markup=False, highlight=False, soft_wrap=True)
    _print_blessing(blessing, settings, console)
    _print_smoke_check(result, console)
    release = None
    if destination := _only(result, nodes.PUSHER, "pushed_model").properties.get(DESTINATION_PROPERTY):
        release = Path(destination)
        console.print(f"Release: {release}", markup=False, highlight=False, soft_wrap=True)
        _print_newer(release, console)
    cached = sum(outcome.state == "cached" for outcome in result.outcomes.values())
    console.print(f"{len(result.outcomes)} nodes, {cached} of them cached, in {result.seconds:.1f} s.", highlight=False)
    _print_next(result, command, release, blessing["blessed"], console)
    return release is not None


def _print_notes(result: RunResult, console: Console) -> None:
    """What is odd about the data, though not so odd that the run stops."""
    if nodes.EXAMPLE_GEN not in result.outcomes:
        return
    for note in json.loads(_only(result, nodes.EXAMPLE_GEN, "examples").properties.get(NOTES_PROPERTY) or "[]"):
        console.print(f"[yellow]Note:[/] {escape(note)}", highlight=False, soft_wrap=True)


def _print_window(result: RunResult, settings: Settings, console: Console) -> None:
    """The spans that were trained on, where they are a window."""
    if nodes.SPAN_WINDOW in result.outcomes:
        spans = sorted(one.properties["span"] for one in result.outcomes[nodes.SPAN_WINDOW].outputs["examples"])
        console.print(f"Window: {shown_spans(spans, is_dated(settings.data))}", highlight=False, soft_wrap=True)


def _print_stopped(result: RunResult, console: Console) -> None:
    """That the training ended before its last epoch, if it did."""
    file = Path(_only(result, nodes.TRAINER, "model_run").uri) / STOPPED_FILE
    if file.is_file():
        console.print(f"Training: {file.read_text()}", markup=False, highlight=False, soft_wrap=True)


def _print_newer(release: Path, console: Console) -> None:
    """A push from the cache may be an older one: an earlier model, run again after another one was released."""
    newest = max((int(path.name) for path in release.parent.glob("[0-9]*") if path.name.isdigit()), default=0)
    if newest > int(release.name):
        console.print(
            f"Servers serve version {newest}, which is newer. To make this model the newest: "
            "run again with --set runner.cache=false",
            highlight=False,
        )


def _only(result: RunResult, node_id: str, key: str) -> Output:
    (output,) = result.outcomes[node_id].outputs[key]
    return output


def _metrics_table(metrics: dict[str, dict[str, Any]], settings: Settings) -> Table:
    names = [name for name in _METRICS_SHOWN if name in metrics[OVERALL]][:7]
    title = f"Metrics on the split {settings.evaluation.split!r}"
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    table.add_column("slice", no_wrap=True)
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    # The largest slices: the small ones say little, and there may be thousands.
    slices = sorted((name for name in metrics if name != OVERALL), key=lambda name: -_count(metrics[name]))
    for name in (OVERALL, *slices[:_SLICES_SHOWN]):
        # Values of the data, here and below: what looks like markup in them is none.
        table.add_row(escape(name), *(_number(metrics[name].get(metric)) for metric in names))
    if len(slices) > _SLICES_SHOWN:
        table.add_row(f"and {len(slices) - _SLICES_SHOWN} smaller slices", *("" for _ in names))
    return table


def _classes_table(matrix: list[list[float]], names: Sequence[str]) -> Table:
    """How each class fares, from the rows of the confusion matrix, label by prediction."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("class", no_wrap=True)
    for name in ("rows", "precision", "recall", "most often taken for"):
        table.add_column(name, justify="right", no_wrap=True)
    largest = sorted(range(len(names)), key=lambda place: -sum(matrix[place]))[:_CLASSES_SHOWN]
    for place in largest:
        rows, chosen, hits = sum(matrix[place]), sum(row[place] for row in matrix), matrix[place][place]
        wrong = {other: count for other, count in enumerate(matrix[place]) if other != place and count}
        table.add_row(
            escape(names[place]),
            f"{rows:,.0f}",
            _number(hits / chosen if chosen else None),
            _number(hits / rows if rows else None),
            escape(names[max(wrong, key=lambda other: wrong[other])]) if wrong else "-",
        )
    if len(names) > _CLASSES_SHOWN:
        table.add_row(f"and {len(names) - _CLASSES_SHOWN} smaller classes", "", "", "", "")
    return table


def _count(metrics: dict[str, Any]) -> float:
    return float(metrics.get("example_count") or 0.0)


def _number(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) > 1 else f"{value:.4f}"


def _print_blessing(blessing: dict[str, Any], settings: Settings, console: Console) -> None:
    unchecked = ", ".join(blessing.get("unchecked", ()))
    if blessing.get("forced"):
        console.print(f"[yellow]Blessed by force:[/] {escape(blessing['forced'])}")
    elif not blessing["blessed"]:
        console.print("[bold red]Not blessed, so nothing was released.[/]")
    elif unchecked and not settings.evaluation.thresholds:
        console.print("[green]Blessed:[/] the first model, with nothing to compare it with.")
    else:
        console.print("[green]Blessed:[/] every threshold holds.")
    for failure in blessing.get("failures", ()):
        value = _number(failure["value"])
        text = f"  {failure['slice']}: {failure['metric']} is {value}, {failure['bound']}"
        console.print(text, markup=False, highlight=False)
    if blessing.get("baseline"):
        console.print(f"Baseline: {blessing['baseline']}", markup=False, highlight=False, soft_wrap=True)
    elif not settings.evaluation.baseline:
        console.print("Baseline: none, evaluation.baseline is off.")
    else:
        skipped = f" The change threshold on {unchecked} could not be checked." if unchecked else ""
        console.print(f"Baseline: none, no earlier model of this label is blessed.{skipped}", highlight=False)


def _print_smoke_check(result: RunResult, console: Console) -> None:
    """What a model server showed, if it was asked."""
    file = _smoke_check_file(result)
    if file is None:
        return
    report = SmokeCheckReport.load(file)
    if report.passed:
        slowest = max((one.p50 for one in report.latency_ms.values()), default=0.0)
        told = f"a server gives the same for {report.rows} rows, p50 {slowest:.1f} ms, by REST and gRPC."
        console.print(f"[green]Smoke check:[/] {told}", highlight=False)
        for line in report.skipped:
            console.print(f"  not asked: {line}", markup=False, highlight=False, soft_wrap=True)
        return
    console.print("[bold red]The smoke check failed, so nothing was released.[/]")
    for fault in report.faults:
        console.print(f"  {fault}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"All of it: {file}", markup=False, highlight=False, soft_wrap=True)


def _smoke_check_file(result: RunResult) -> Path | None:
    """The report; None where nothing was checked, as what is not blessed is not."""
    if nodes.SMOKE_CHECK not in result.outcomes:
        return None
    file = Path(_only(result, nodes.SMOKE_CHECK, "blessing").uri) / SMOKE_CHECK_FILE
    return file if file.is_file() else None


def _print_next(result: RunResult, command: str, release: Path | None, blessed: bool, console: Console) -> None:
    model_run = _only(result, nodes.TRAINER, "model_run").uri
    suggestions = {
        "the training in TensorBoard": f"{_beside(command, 'tensorboard')} --logdir {shlex.quote(model_run)}"
    }
    if release is not None:
        model = shlex.quote(f"{release.parent.name}={release.parent}")
        suggestions["the model, served"] = f"{_beside(command, 'scalable-tf')} serve --model {model}"
        stable = _stable(release)
        if stable not in (None, int(release.name)):
            root, name = shlex.quote(str(release.parent.parent)), shlex.quote(release.parent.name)
            purpose = f"the release in the place of {stable}, which is `stable` and served until then"
            move = f"release promote {release.name} --releases {root} --model {name}"
            suggestions[purpose] = f"{_beside(command, 'scalable-tf')} {move}"
        suggestions["again; what is unchanged comes from the cache"] = command
    elif blessed:
        suggestions["the smoke check again; no other node runs"] = command
        file = _smoke_check_file(result)
        for name, measured in (SmokeCheckReport.load(file).exceeded() if file else {}).items():
            purpose = f"or with a higher limit, where {measured:g} {_UNITS[name]} are good enough"
            suggestions[purpose] = f"{command} --set smoke_check.{name}={math.ceil(measured * _MORE)}"
    else:
        suggestions["release the model all the same"] = f'{command} --force-bless "REASON"'
    console.print("Next:")
    for purpose, line in suggestions.items():
        console.print(f"  # {purpose}\n  {line}", markup=False, highlight=False, soft_wrap=True)


def _stable(release: Path) -> int | None:
    """Which version of the model has the label, if any has."""
    from serving.audit_log import STABLE
    from serving.labels import Labels

    try:
        return Labels(release.parent.parent, release.parent.name).current().get(STABLE)
    except ReleaseError:  # `release` tells what is wrong
        return None


def _beside(command: str, program: str) -> str:
    """How to call a program that is installed beside the one of a command line."""
    return shlex.quote(str(Path(shlex.split(command)[0]).with_name(program)))
