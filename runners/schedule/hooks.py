"""Tells others what became of a span: by a command, by a webhook, both within a bounded time."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from configs.schedule import Hook
from configs.secret import mask_passwords
from runners.webhook import tell
from schemas.errors import SettingsError

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Event:
    """What happened; a command finds each in its environment, as STF_SPAN and so on, a webhook in its JSON.

    Attributes:
        pipeline: name of the pipeline.
        span: number of the span; None where it is about none.
        state: released, not released, refused, failed, given up or missing; of the schedule itself held up, going on.
        run: id of the run.
        trigger: what had started it.
        attempt: which one it was.
        error: one line on what stopped it; of a model that was not released, why not.
        release: version of the released model, 0 where there is none.
        next_try: when it is tried again, ISO 8601, or empty.
        since: of a schedule that is held up, or was: since when, ISO 8601, or empty.
    """

    pipeline: str
    span: int | None
    state: str
    run: str = ""
    trigger: str = ""
    attempt: int = 1
    error: str = ""
    release: int = 0
    next_try: str = ""
    since: str = ""

    @property
    def id(self) -> str:
        """The same for the same event, however often it is told."""
        return f"{self.pipeline}/{self.run or self.since or f'span {self.span}'}/{self.state}/{self.attempt}"

    def facts(self) -> dict[str, str | int | None]:
        """By name, with the id, without secrets."""
        facts = {"id": self.id, **asdict(self)}
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
        told = {f"STF_{name.upper()}": "" if value is None else str(value) for name, value in facts.items()}
        _run(hook, {**environment, **told})
    if hook.webhook is not None:
        try:
            address = hook.webhook.reveal(environment)
        except SettingsError as error:
            _LOG.warning("The webhook at %s cannot be called: %s", hook.webhook.host, error.what)
            return
        tell(address, facts, hook.seconds, tries=1)


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
