"""How a run on Kubeflow ended, and who is told of it: once, whatever is repeated."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from configs.kubeflow import WEBHOOK_VARIABLE, Kubeflow
from configs.settings import Settings
from pipeline.pipeline import root
from runners.run_folder import run_folder
from runners.webhook import tell
from schemas.errors import SettingsError

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunOutcome:
    """How a run ended, as the webhook is told.

    Attributes:
        pipeline: its name.
        run_id: Kubeflow's id of the run.
        outcome: how it ended.
        task: the node that failed first, or `begin`; empty where none did.
        message: what that one said, or what is known of it; empty where nothing failed.
        blessed: the Evaluator's verdict; None where it gave none.
        release: version that was released; None where none was.
    """

    pipeline: str
    run_id: str
    outcome: Literal["complete", "failed", "interrupted"]
    task: str = ""
    message: str = ""
    blessed: bool | None = None
    release: int | None = None


def tell_outcome(settings: Settings, outcome: RunOutcome, environment: Mapping[str, str]) -> None:
    """Tells the webhook, unless it was told this outcome of this run before; what goes wrong with that is logged.

    A file says that it was: Kubeflow repeats tasks, and whoever closes a run by hand may do so, too. It is made before
    the webhook is called: a kill in between tells nobody rather than twice.

    Args:
        settings: of the run.
        outcome: what is told.
        environment: where the secrets of the address are.
    """
    address = _address(settings.kubeflow, environment)
    if address is None:
        return
    told = _told(settings, outcome)
    try:
        told.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(told, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
    except FileExistsError:
        return
    except OSError as error:  # the volume may be what is wrong; better twice than never
        _LOG.warning("It cannot be remembered that the webhook was told: %s: %s.", told, error.strerror)
    tell(address, asdict(outcome))


def _address(kubeflow: Kubeflow, environment: Mapping[str, str]) -> str | None:
    if kubeflow.webhook is None:
        return environment.get(WEBHOOK_VARIABLE)
    try:
        return kubeflow.webhook.reveal(environment)
    except SettingsError as error:
        _LOG.error("The webhook at %s cannot be called: %s", kubeflow.webhook.host, error.what)
        return None


def _told(settings: Settings, outcome: RunOutcome) -> Path:
    """In the run's folder, with which it goes; of a run that was never begun, beside it."""
    folder = run_folder(settings, outcome.run_id)
    name = f".told-{outcome.outcome}"
    return folder / name if folder.is_dir() else root(settings) / "logs" / f"{name}-{outcome.run_id}"
