"""The benchmark of model servers as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.markdown import markdown_table

_COUNTS = ("requests", "failed", "wrong", "versions")
_HEAD = ("server", "protocol", "at a time", "requests/s", "p50, ms", "p99, ms", "spread of requests/s")


def report(result: Mapping[str, Any]) -> str:
    """The result as Markdown.

    Args:
        result: as `benchmarks.serving` saves it: `lines`, `swaps`, or both.
    """
    parts = ["# Serving\n"]
    if "lines" in result:
        lines: list[dict[str, Any]] = result["lines"]
        versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
        rows = [
            (
                one["server"],
                one["protocol"] or "-",
                one["concurrency"],
                one["rate"],
                one["p50"],
                one["p99"],
                one["spread"],
            )
            for one in lines
        ]
        parts += [
            "Made by `python -m benchmarks.serving`: the taxi model's `serving_default`, a row a request, servers in "
            f"turn and alone on {result['machine']['cores']} cores with the process that asks, "
            f"{len(lines[0]['turns'])} turn(s) of {result['seconds']:g} s, medians; every answer was compared with the "
            "model's own. `direct` is a call in the process, one after the other: `session` is Session.run of "
            "TensorFlow 1, `signature` that of tf.saved_model.load, which the other servers use as their guides do, "
            "with a process for each core; `rested` has a millisecond between two calls, as a server has that waits "
            "for one who asks, after which a processor is slower. Spread is that between the turns, of the median. "
            f"{versions}.\n",
            markdown_table(_HEAD, rows),
            "## Goals\n",
            markdown_table(("what", "measured", "goal"), goals(lines)),
        ]
    if "swaps" in result:
        swaps = result["swaps"]
        parts += [
            "## Versions swapped underneath\n",
            "Made by `python -m benchmarks.serving --swaps`: requests by both protocols at once, while a version "
            f"appears and another goes, again and again: {swaps['swaps']} of them in {swaps['seconds']:.0f} s. Each of "
            "20 models in turn answers differently, and an answer is right if it is one of theirs for this request; by "
            "gRPC, that of the version that it names.\n",
            markdown_table(
                ("protocol", "requests", "failed", "wrong", "versions (REST: models) that answered"),
                [(key, *(one[name] for name in _COUNTS)) for key, one in swaps["loads"].items()],
            ),
        ]
    return "\n".join(parts)


def goals(lines: list[dict[str, Any]]) -> list[tuple[str, float | None, str]]:
    """What was measured of each goal; None where it was not."""

    def figure(server: str, protocol: str, concurrency: int, key: str) -> float | None:
        asked = (server, protocol, concurrency)
        found = [one[key] for one in lines if (one["server"], one["protocol"], one["concurrency"]) == asked]
        return float(found[0]) if found else None

    def ratio(one: float | None, other: float | None) -> float | None:
        return one / other if one is not None and other else None

    mine = {
        (protocol, on): figure("ours, batching" if on else "ours", protocol, 32, "rate")
        for protocol in ("grpc", "rest")
        for on in (False, True)
    }
    theirs = [one["rate"] for one in lines if one["concurrency"] == 32 and not one["server"].startswith("ours")]
    best = max(theirs, default=None)
    calls = ("signature", "session", "session, rested")
    direct = {name: figure(f"direct, {name}", "", 1, "p50") for name in calls}
    p50 = figure("ours", "grpc", 1, "p50")
    return [
        *((f"gRPC's p50, of the direct call by {name}", ratio(p50, direct[name]), "at most 2") for name in calls),
        ("32 at a time, gRPC with batching, of the best other server", ratio(mine["grpc", True], best), "at least 3"),
        ("32 at a time, REST with batching, of the best other server", ratio(mine["rest", True], best), "at least 3"),
        ("32 at a time, gRPC with batching, of without", ratio(mine["grpc", True], mine["grpc", False]), "at least 2"),
        ("32 at a time, REST with batching, of without", ratio(mine["rest", True], mine["rest", False]), "at least 2"),
    ]
