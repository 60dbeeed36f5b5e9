"""A look, before any training, at whether the tasks reach each other and are of one kind."""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Literal

from distribution.cluster import Task
from distribution.membership import Membership
from distribution.training_job import TrainingJob
from schemas.errors import TrainingError

_LOG = logging.getLogger(__name__)
_CALL_SECONDS = 5.0
_PAUSE_SECONDS = 0.1
_LONGEST_HELLO = 4096
_SERVES: Literal["serves"] = "serves"


class PortError(TrainingError):
    """Another process has the port: with another port, or later, the task may run."""


class StaleJobError(TrainingError):
    """The job has been written anew since this task read it."""


@contextmanager
def preflight(own: Membership, job: TrainingJob, seconds: float, *, calls_first: bool = True) -> Iterator[None]:
    """Calls every other task at its address, and compares jobs and fingerprints; evaluators take no part.

    Each task answers at the address where TensorFlow will listen afterwards. One where TensorFlow answers has gone on
    already: it is there, and has done the comparison itself. Horovod listens at the chief's address only: the others
    go on answering at theirs within the block, for tasks that come to call them later.

    Args:
        own: this task.
        job: what this task was told; its fingerprint, of code and settings, must be the same everywhere.
        seconds: how long the others are waited for.
        calls_first: whether TensorFlow calls others at once, and so must find theirs; if not, it is Horovod.

    Raises:
        PortError: the own port is taken.
        StaleJobError: the others have a newer job.
        TrainingError: a task is not reached in time, or its fingerprint is another.
    """
    if own.task.role == "evaluator":
        yield
        return
    hello = {"task": str(own.task), "token": job.token, "fingerprint": job.fingerprint}
    # Horovod's processes wait for each other by themselves.
    needed = _needed_servers(own) if calls_first else set()
    with ExitStack() as answers:
        answers.enter_context(_answering(own, json.dumps(hello).encode()))
        _reach(own, job, hello, needed, seconds, closes=not calls_first)
        if calls_first or own.is_chief:
            answers.close()
        yield


def _reach(
    own: Membership, job: TrainingJob, hello: Mapping[str, str], needed: Collection[Task], seconds: float, closes: bool
) -> None:
    """Calls the others until each has answered."""
    others = [task for task in own.cluster.tasks if task != own.task and task.role != "evaluator"]
    deadline = time.monotonic() + seconds
    waited_for = set(others)
    while waited_for:
        for task in sorted(waited_for):
            answer = _call(own.cluster.address(task), closes)
            fits = isinstance(answer, dict) and _fits(hello, task, answer)
            if answer == _SERVES or (fits and task not in needed):
                waited_for.remove(task)
        if not waited_for:
            break
        if not job.is_current:
            raise StaleJobError("The training was begun anew meanwhile.", where=f"Trainer, {own.task}")
        if time.monotonic() >= deadline:
            named = ", ".join(f"{task} at {own.cluster.address(task)}" for task in sorted(waited_for))
            raise TrainingError(
                f"{len(waited_for)} of {len(others)} other tasks cannot be reached.",
                where=f"Trainer, {own.task}",
                received=f"no answer within {seconds:.0f} s from {named}",
                fix="Start all tasks with the same cluster, let their ports through between the machines, or raise "
                "training.cluster.start_seconds.",
            )
        time.sleep(_PAUSE_SECONDS)
    _LOG.info("%s reaches all %d other tasks", own.task, len(others))


def _needed_servers(own: Membership) -> set[Task]:
    """Tasks whose TensorFlow must be there before this task's calls it, because a call that fails is not made again.

    The chief calls workers and parameter servers; without parameter servers, it is the chief that is called first.
    """
    if not own.cluster.number("ps"):
        return {own.cluster.chief} - {own.task}
    return {task for task in own.cluster.tasks if task.role in ("worker", "ps")} if own.is_chief else set()


def _fits(hello: Mapping[str, str], task: Task, told: Mapping[str, str]) -> bool:
    """Whether an answer is of this training.

    Raises:
        TrainingError: it is, and its fingerprint is another.
    """
    if (told.get("task"), told.get("token")) != (str(task), hello["token"]):
        return False  # another training's, or one that has yet to read the present job
    if told.get("fingerprint") != hello["fingerprint"]:
        raise TrainingError(
            f"{task} has other code or other settings than {hello['task']}.",
            where=f"Trainer, {hello['task']}",
            received=f"fingerprints {str(told.get('fingerprint'))[:12]} and {hello['fingerprint'][:12]}",
            fix="Give all tasks the same image or checkout.",
        )
    return True


def _call(address: str, closes: bool) -> dict[str, str] | Literal["serves"] | None:
    """What a task answers: its hello, that TensorFlow serves there, or nothing."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_CALL_SECONDS) as call:
            answer = call.recv(1)
            # A gRPC server sends HTTP/2 settings first; Horovod's rendezvous waits for a request, and closes the call.
            if answer != b"{":
                return _SERVES if answer or closes else None
            hello: dict[str, str] = json.loads(answer + call.makefile("rb").readline(_LONGEST_HELLO))
    except (OSError, ValueError):  # nobody there, or one that has closed the call
        return None
    return hello


@contextmanager
def _answering(own: Membership, hello: bytes) -> Iterator[None]:
    """Answers every call at the task's own port meanwhile."""
    port = int(own.cluster.address(own.task).rpartition(":")[2])
    try:
        if socket.has_dualstack_ipv6():
            server = socket.create_server(("", port), family=socket.AF_INET6, backlog=128, dualstack_ipv6=True)
        else:
            server = socket.create_server(("", port), backlog=128)
    except OSError as error:
        raise PortError(
            f"The port of {own.task} cannot be listened at.",
            where=f"Trainer, {own.task}",
            received=f"port {port}: {os.strerror(error.errno or 0)}",
            fix="End the process that has it, or give the task another address.",
        ) from error
    server.settimeout(_PAUSE_SECONDS)
    over = threading.Event()

    def answer() -> None:
        while not over.is_set():
            try:
                call, _ = server.accept()
            except OSError:
                continue
            with call:
                try:
                    call.sendall(hello + b"\n")
                except OSError:
                    continue

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        server.close()
