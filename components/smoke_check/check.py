"""The check itself: a server in another process against the model's own answers."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from components.served_model.signatures import Outputs
from components.smoke_check.asking import Answers, Client, in_a_line, latency
from components.smoke_check.question import Question
from components.smoke_check.report import Latency, Report
from components.smoke_check.server_process import HOST, Ports, ServerProcess
from configs.smoke_check import SmokeCheck
from schemas.errors import ServingError
from serving.client.grpc_client import GrpcClient
from serving.client.rest_client import RestClient

_LISTED = 20
"""Mismatches in the report."""
_REQUESTS, _REQUESTS_JUDGED = 20, 100
"""Of which the latency is measured, without a limit and with one."""
_CLIENTS_DEFAULT = "predict"
"""What a client asks that names no signature: that is timed."""


def smoke_check(
    folder: Path, model: str, own: Sequence[tuple[Question, Outputs]], rows: int, settings: SmokeCheck, log: Path
) -> Report:
    """Has a server load a model, and compares its answers with the model's own.

    Args:
        folder: has the model as a version, for the server.
        model: name of the model.
        own: what is asked, all rows of it, and what the model itself answers; at least one.
        rows: how many, at least 1.
        settings: of the check.
        log: file that takes what the server prints.
    """
    report = Report(
        server=" ".join(settings.command or ("scalable-tf", "serve")),
        rows=rows,
        tolerance=settings.tolerance,
        max_latency_ms=settings.max_latency_ms,
        max_memory_mib=settings.max_memory_mib,
    )
    began = time.monotonic()
    with ServerProcess(model, folder, settings.command, log) as server:
        try:
            ports = server.wait(settings.load_seconds)
        except ServingError as error:
            return report.model_copy(update={"faults": (in_a_line(error),)})
        loaded = round(time.monotonic() - began, 3)
        answers, latencies, faults = _ask(ports, model, own, rows, settings)
        memory = server.peak_memory_mib()
    mismatches = [one for each in answers for one in each.mismatches]
    return report.model_copy(
        update={
            "faults": (*_faults(answers), *faults, *_over(latencies, memory, settings)),
            "requests": {each.protocol: each.requests for each in answers},
            "mismatches": tuple(mismatches[:_LISTED]),
            "mismatched": len(mismatches),
            "load_seconds": loaded,
            "latency_ms": latencies,
            "peak_memory_mib": None if memory is None else round(memory, 1),
        }
    )


def _ask(
    ports: Ports, model: str, own: Sequence[tuple[Question, Outputs]], rows: int, settings: SmokeCheck
) -> tuple[list[Answers], dict[str, Latency], list[str]]:
    answers, latencies, faults = [], {}, []
    asked = [question for question, _ in own]
    timed = next((one for one in asked if one.signature == _CLIENTS_DEFAULT), asked[0])
    # Of a hundred, one is the slowest hundredth; where nothing is judged, fewer do.
    requests = _REQUESTS if settings.max_latency_ms is None else _REQUESTS_JUDGED
    seconds = settings.request_seconds
    with (
        GrpcClient(f"{HOST}:{ports.grpc}", model, timeout=seconds, retries=0) as grpc,
        RestClient(f"http://{HOST}:{ports.rest}", model, timeout=seconds, retries=0) as rest,
    ):
        clients: dict[str, Client] = {"gRPC": grpc, "REST": rest}
        for protocol, client in clients.items():
            answer = Answers(protocol, settings.tolerance)
            for question, expected in own:
                answer.ask(client, question, expected, rows)
            answers.append(answer)
            if not answer.refusals:
                try:
                    latencies[protocol] = latency(client, timed, rows, requests)
                except ServingError as error:
                    faults.append(f"{protocol}, one row at a time: {in_a_line(error)}")
    return answers, latencies, faults


def _faults(answers: Sequence[Answers]) -> list[str]:
    faults = [f"not answered: {refusal}" for each in answers for refusal in each.refusals]
    for each in answers:
        if each.mismatches:
            more = len(each.mismatches) - 1
            faults.append(
                f"not what the Trainer's model predicts: {each.mismatches[0]}{f', and {more} more' * (more > 0)}"
            )
    return faults


def _over(latencies: Mapping[str, Latency], memory: float | None, settings: SmokeCheck) -> list[str]:
    """What is above the limits."""
    faults = []
    if settings.max_latency_ms is not None:
        faults += [
            f"{protocol} is slow: p99 of requests of one row is {found.p99:g} ms, must be at most "
            f"{settings.max_latency_ms:g} (smoke_check.max_latency_ms)"
            for protocol, found in latencies.items()
            if found.p99 > settings.max_latency_ms
        ]
    if settings.max_memory_mib is not None and memory is not None and memory > settings.max_memory_mib:
        faults.append(
            f"the server's memory reached {memory:.0f} MiB, must be at most {settings.max_memory_mib} "
            "(smoke_check.max_memory_mib)"
        )
    return faults
