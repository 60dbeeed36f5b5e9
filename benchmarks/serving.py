"""Our model server beside KServe's, MLflow's and Ray Serve, and beside a call in the process.

    python -m benchmarks.serving --output docs/benchmarks
    python -m benchmarks.serving --swaps --requests 1000000 --output docs/benchmarks

The first writes serving.json and serving.md: the taxi model's `serving_default`, which takes serialized tf.Examples,
asked for one row a request. Load comes from a process of its own (`benchmarks.serving_load`). Servers take turns,
each alone on the machine, and figures are medians over the turns; every answer is compared with the model's own. The
others run in environments of their own, which are made once. The second sends requests while versions are swapped
(`benchmarks.serving_swaps`) and adds what came of it.
"""

from __future__ import annotations

import argparse
import base64
import json
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from benchmarks.run_command import run_command, settings_arguments
from benchmarks.serving_model import Questions, direct_calls, time_direct
from benchmarks.serving_report import report
from benchmarks.serving_servers import Running, Server, others, ours, prepare_peers, run_load, serving_versions
from benchmarks.timed_process import child_environment
from schemas.errors import RunError, ScalableTFError

_ROOT = Path(__file__).resolve().parent.parent
_CONCURRENCY = (1, 32)
_PORT = 9510
_WARM = 1.0  # seconds
_REST = 0.001  # seconds, about what a server has between two requests of one that asks
_Line = tuple[str, str, int]  # server, protocol, concurrency
_BATCHING = ("--batching", "--max-batch-size", "32", "--batch-timeout-micros", "1000")


def trained(folder: Path) -> Path:
    """Runs configs/taxi.yaml; its output_dir."""
    output_dir = folder / "run"
    overrides = {"output_dir": output_dir, "training.tensorboard": "false"}
    command = [*run_command(), *settings_arguments([_ROOT / "configs" / "taxi.yaml"], overrides)]
    done = subprocess.run(command, cwd=_ROOT, env=child_environment(), stdout=sys.stderr, check=False)
    if done.returncode != 0:
        raise RunError("The taxi model could not be trained.", received=f"exit code {done.returncode}")
    return output_dir


def compare(
    run: Path, folder: Path, turns: int, seconds: float, peers: bool, save: Callable[[dict[str, Any]], None]
) -> None:
    """All measurements.

    Args:
        run: output_dir of a run of configs/taxi.yaml.
        folder: for logs and the like.
        turns: how often each server is started and measured.
        seconds: of each measurement.
        peers: whether the others are measured, too.
        save: takes what there is after each turn, JSON-ready.

    Raises:
        RunError: a server does not answer, or not rightly.
    """
    versions = prepare_peers() if peers else {}
    questions = Questions.of_run(run)
    servers = [ours("ours"), ours("ours, batching", *_BATCHING), *(others(folder) if peers else [])]
    found: dict[_Line, list[dict[str, Any]]] = defaultdict(list)
    calls = direct_calls(questions)
    for turn in range(turns):
        for name, call in calls.items():
            for rest, how in ((0.0, ""), (_REST, ", rested")):
                found[f"direct, {name}{how}", "", 1].append(time_direct(questions, call, seconds, rest))
        for server in servers:
            log = folder / f"{server.name}-{turn}.log"
            for key, figures in measure(server, questions, _PORT + 10 * turn, log, seconds).items():
                found[key].append(figures)
        save(_result(found, seconds, versions))


def measure(server: Server, questions: Questions, port: int, log: Path, seconds: float) -> dict[_Line, dict[str, Any]]:
    """One server, alone: its figures by server, protocol and concurrency."""
    found: dict[_Line, dict[str, Any]] = {}
    with Running(server, questions.model, port, log, questions.bodies(_kind(server, "rest"))[0]) as running:
        for protocol in server.paths:
            bodies = questions.bodies(_kind(server, protocol))
            for concurrency in _CONCURRENCY:
                plan = load_plan(protocol, running.ports[protocol], server.paths[protocol], bodies, concurrency)
                load = run_load({**plan, "warm": _WARM, "seconds": seconds, "count": 0}, seconds + 60)
                questions.check(load, protocol, f"{server.name}, {protocol}")
                figures = found[server.name, protocol, concurrency] = _figures(load)
                _tell(server.name, protocol, concurrency, figures)
    return found


def _result(
    found: Mapping[_Line, Sequence[dict[str, Any]]], seconds: float, versions: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "lines": [
            {"server": server, "protocol": protocol, "concurrency": concurrency, **_medians(turns), "turns": turns}
            for (server, protocol, concurrency), turns in found.items()
        ],
        "seconds": seconds,
        "versions": {**serving_versions(), **versions},
        "machine": machine(),
    }


def load_plan(protocol: str, port: int, path: str, bodies: Sequence[bytes], concurrency: int) -> dict[str, Any]:
    """What the load generator is told, but for how long; each that asks has a connection of its own."""
    return {
        "protocol": protocol,
        "host": "127.0.0.1",
        "port": port,
        "path": path,
        "requests": [base64.b64encode(body).decode() for body in bodies],
        "concurrency": concurrency,
        "connections": concurrency,
    }


def _kind(server: Server, protocol: str) -> str:
    return "mlflow" if server.name == "MLflow" else protocol


def _figures(load: dict[str, Any]) -> dict[str, Any]:
    cpu = 1e6 * load["cpu_seconds"] / load["requests"]
    return {"rate": load["requests"] / load["seconds"], "p50": load["p50"], "p99": load["p99"], "generator_us": cpu}


def _medians(turns: Sequence[dict[str, Any]]) -> dict[str, Any]:
    middle = {key: statistics.median(one[key] for one in turns) for key in turns[0]}
    rates = [one["rate"] for one in turns]
    return {**middle, "spread": (max(rates) - min(rates)) / middle["rate"]}


def _tell(server: str, protocol: str, concurrency: int, figures: dict[str, Any]) -> None:
    text = f"{figures['rate']:.0f}/s, p50 {figures['p50']:.2f} ms, p99 {figures['p99']:.2f} ms"
    print(f"{server}, {protocol}, {concurrency} at a time: {text}", file=sys.stderr, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 when every answer was right."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--run", type=Path, metavar="OUTPUT_DIR", help="a run of configs/taxi.yaml; default: a new one")
    parser.add_argument("--turns", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement; default: %(default)s")
    parser.add_argument("--ours-only", action="store_true", help="without the other servers")
    parser.add_argument("--swaps", action="store_true", help="instead, requests while versions are swapped")
    parser.add_argument("--requests", type=int, default=1_000_000, help="with --swaps; default: %(default)s")
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="for JSON and Markdown")
    arguments = parser.parse_args(argv)
    arguments.output.mkdir(parents=True, exist_ok=True)
    saved = arguments.output / "serving.json"
    result: dict[str, Any] = json.loads(saved.read_text(encoding="utf-8")) if saved.exists() else {}

    def save(more: dict[str, Any]) -> None:
        result.update(more)
        saved.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        (arguments.output / "serving.md").write_text(report(result), encoding="utf-8")

    try:
        with tempfile.TemporaryDirectory(prefix="stf-benchmark-") as text:
            folder = Path(text)
            if arguments.swaps:
                from benchmarks.serving_swaps import swap

                save({"swaps": swap(folder, arguments.requests)})
            else:
                run = arguments.run or trained(folder)
                compare(run, folder, arguments.turns, arguments.seconds, not arguments.ours_only, save)
    except ScalableTFError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(report(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
