"""A load generator for model servers: `python -m benchmarks.serving_load`, with a plan on stdin.

It is no part of what is measured, so it does as little as it can: requests are bytes that were made before, answers
are kept as bytes and looked at later, and HTTP/2 is spoken by itself, for gRPC's Python takes longer to ask than some
servers to answer. One thread, an event loop. Nothing of TensorFlow is imported.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import uvloop

from benchmarks.serving_http import Connection, GrpcConnection, RestConnection

_PERCENTILES = {"p50": 0.50, "p99": 0.99, "p999": 0.999}


@dataclass
class Load:
    """What was sent and came back.

    Attributes:
        seconds: of each answer, from when its request was sent.
        answers: how often each answer (number of the request, bytes) came.
        failures: how often a request failed, by reason.
    """

    seconds: list[float] = field(default_factory=list)
    answers: Counter[tuple[int, bytes]] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)


async def load(
    connections: Sequence[Connection], requests: Sequence[bytes], concurrency: int, seconds: float, count: int
) -> tuple[Load, float]:
    """Sends requests one after the other, so many at a time, until time is over or so many are sent.

    Args:
        connections: which are shared by those that send.
        requests: bodies, sent in turn.
        concurrency: how many wait for an answer at any time.
        seconds: how long.
        count: how many at most; 0: any number.

    Returns:
        What came back, and how many seconds that took.
    """
    found = Load()
    began = time.perf_counter()
    until = began + seconds
    number = 0

    async def one_after_the_other(connection: Connection) -> None:
        nonlocal number
        while time.perf_counter() < until and (not count or number < count):
            place, number = number % len(requests), number + 1
            sent = time.perf_counter()
            try:
                answer = await connection.ask(requests[place])
            except (OSError, ValueError) as error:
                found.failures[f"{type(error).__name__}: {error}"[:300]] += 1
                if connection.closed:
                    await connection.open()
            else:
                found.seconds.append(time.perf_counter() - sent)
                found.answers[place, answer] += 1

    await asyncio.gather(*(one_after_the_other(connections[k % len(connections)]) for k in range(concurrency)))
    return found, time.perf_counter() - began


async def run(plan: dict[str, Any]) -> dict[str, Any]:
    """Runs a plan.

    Args:
        plan: `protocol` (grpc or rest), `host`, `port`, `path`, `requests` (base64), `concurrency`, `connections`,
            `warm` and `seconds`, `count`.

    Returns:
        JSON-ready: `requests` that were answered, `failures`, `seconds`, `cpu_seconds` of this process, percentiles in
        milliseconds, and `answers` as triples of number, base64 and how often.
    """
    kind = GrpcConnection if plan["protocol"] == "grpc" else RestConnection
    connections = [kind(plan["host"], plan["port"], plan["path"]) for _ in range(plan["connections"])]
    for connection in connections:
        await connection.open()
    requests = [base64.b64decode(one) for one in plan["requests"]]
    await load(connections, requests, plan["concurrency"], plan["warm"], 0)
    before = os.times()
    found, seconds = await load(connections, requests, plan["concurrency"], plan["seconds"], plan["count"])
    after = os.times()
    for connection in connections:
        connection.close()
    ordered = sorted(found.seconds)
    return {
        "requests": len(ordered),
        "failures": dict(found.failures),
        "seconds": seconds,
        "cpu_seconds": after.user + after.system - before.user - before.system,
        **{name: 1e3 * ordered[int(part * len(ordered))] if ordered else None for name, part in _PERCENTILES.items()},
        "answers": [[place, base64.b64encode(one).decode(), n] for (place, one), n in found.answers.items()],
    }


def main() -> None:
    """Reads a plan from stdin, and writes what came of it to stdout."""
    plan = json.load(sys.stdin)
    uvloop.install()
    json.dump(asyncio.run(run(plan)), sys.stdout)


if __name__ == "__main__":
    main()
