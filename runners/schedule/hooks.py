"""Tells others what became of a span: by a command, by a webhook, both within a bounded time."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import requests

from configs.schedule import Hook
from configs.secret import mask_passwords
from schemas.errors import SettingsError

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Event:
    """What happened; a command finds each in its environment, as STF_SPAN and so on, a webhook in its JSON.

    Attributes:
        pipeline: name of the pipeline.
        span: number of the span.
        state: released, not released, refused, failed, given up or missing.
        run: id of the run.
        trigger: what had started it.
        attempt: which one it was.
        error: one line on what stopped it; of a model that was not released, why not.
        release: version of the released model, 0 where there is none.
        next_try: when it is tried again, ISO 8601, or empty.
    """

    pipeline: str
    span: int
    state: str
    run: str = ""
    trigger: str = ""
    attempt: int = 1
    error: str = ""
    release: int = 0
    next_try: str = ""

    def facts(self) -> dict[str, str | int]:
        """By name, without secrets."""
        facts = asdict(self)
        facts["error"] = mask_passwords(self.error.splitlines()[0]) if self.error else ""
        return facts


def call(hook: Hook, event: Event, environment: Mapping[str, str]) -> None:
    """Calls whoever is to hear of an event; what goes wrong with that is logged, and nothing else.

    Args:
        hook: who.
        event: of what.
        environment: of the command, and where a webhook's variables are.
    """
    facts = event.facts()
    if hook.command:
        _run(hook, {**environment, **{f"STF_{name.upper()}": str(value) for name, value in facts.items()}})
    if hook.webhook is not None:
        # A server that sends its answer byte by byte would hold a request for ever.
        thread = threading.Thread(target=_post, args=(hook, facts, environment), daemon=True)
        thread.start()
        thread.join(hook.seconds)
        if thread.is_alive():
            _LOG.warning("The webhook at %s has not answered within %g s.", hook.webhook.host, hook.seconds)


def _run(hook: Hook, environment: Mapping[str, str]) -> None:
    name = hook.command[0]
    try:
        with subprocess.Popen(
            hook.command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process:
            try:
                output, _ = process.communicate(timeout=hook.seconds)
            except BaseException as error:
                os.killpg(process.pid, signal.SIGKILL)
                if not isinstance(error, subprocess.TimeoutExpired):
                    raise
                _LOG.warning("The command %s took longer than %g s and was ended.", name, hook.seconds)
                return
    except OSError as error:
        _LOG.warning("The command %s cannot be started: %s.", name, error.strerror)
        return
    if process.returncode:
        lines = output.decode("utf-8", "replace").strip().splitlines() or ["it printed nothing"]
        _LOG.warning("The command %s ended with %d: %s", name, process.returncode, lines[-1][:200])


def _post(hook: Hook, facts: Mapping[str, str | int], environment: Mapping[str, str]) -> None:
    webhook = hook.webhook
    if webhook is None:
        return
    try:
        url = webhook.reveal(environment)
    except SettingsError as error:
        _LOG.warning("The webhook at %s cannot be called: %s", webhook.host, error.what)
        return
    try:
        with requests.post(
            url,
            data=json.dumps(facts),
            headers={"Content-Type": "application/json"},
            timeout=hook.seconds,
            allow_redirects=False,
            stream=True,
        ) as answer:
            status = answer.status_code
    except requests.RequestException as error:  # its text holds the URL
        _LOG.warning("The webhook at %s cannot be called: %s.", webhook.host, type(error).__name__)
        return
    if status >= 300:
        _LOG.warning("The webhook at %s answered %d.", webhook.host, status)
