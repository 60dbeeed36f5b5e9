"""How a run on Kubeflow ended, and who is told of it: once, whatever is repeated."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from configs.kubeflow import END, WEBHOOK_VARIABLE, Kubeflow
from configs.settings import Settings
from runners.kubeflow.orchestrated_run import shared_root
from runners.run_folder import run_folder
from runners.run_record import RunRecord
from runners.webhook import tell
from schemas.errors import ScalableTFError, SettingsError

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunOutcome:
    """How a run ended, as the webhook is told.

    Attributes:
        pipeline: its name.
        run_id: Kubeflow's id of the run.
        outcome: how it ended.
        task: the node that failed first; `begin` of a run that was not begun, `end` where the run's records could not
            be read; empty where none did, or that is not known.
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


def recorded_outcome(record: RunRecord) -> RunOutcome:
    """That of a run whose record is closed, with the first line of what ended it; nobody has read its verdict."""
    state: Literal["complete", "failed", "interrupted"] = "failed"
    if record.state == "complete" or record.state == "interrupted":
        state = record.state
    task, colon, message = record.message.partition(": ")
    if not colon or " " in task:
        task, message = "", record.message
    return RunOutcome(record.pipeline, record.run_id, state, task, message, release=record.release or None)


def tell_outcome(settings: Settings, outcome: RunOutcome, environment: Mapping[str, str]) -> None:
    """Tells the webhook, unless it was told this outcome of this run before; what goes wrong with that is logged.

    A file says that it was, in the shared root where there is one: Kubeflow repeats tasks, and whoever closes a run by
    hand may do so, too. It is made before the webhook is called: a kill in between tells nobody rather than twice.
    An outcome of which the run's records could not be read has a file of its own: what they say is told when somebody
    reads them.

    Args:
        settings: of the run.
        outcome: what is told.
        environment: where the secrets of the address are.
    """
    address = _address(settings.kubeflow, outcome, environment)
    if address is None:
        return
    try:
        is_new = _note(settings, outcome)
    except (OSError, ScalableTFError) as error:  # the volume may be what is wrong; better twice than never
        _LOG.warning("It cannot be remembered that the webhook was told: %s", error)
        is_new = True
    if is_new:
        tell(address, asdict(outcome))


def _address(kubeflow: Kubeflow, outcome: RunOutcome, environment: Mapping[str, str]) -> str | None:
    if kubeflow.webhook is None:
        if kubeflow.webhook_secret is None:
            return None
        address = environment.get(WEBHOOK_VARIABLE)
        if address is None:
            # Whoever closes a lost run is not in the pod of its task `end`.
            _LOG.error(
                "The webhook is not told that run %s is %s: its address is in the Secret %s, which this process does "
                "not have. Set the variable %s to the address where schedules are worked off.",
                *(outcome.run_id, outcome.outcome, kubeflow.webhook_secret.secret, WEBHOOK_VARIABLE),
            )
        return address
    try:
        return kubeflow.webhook.reveal(environment)
    except SettingsError as error:
        _LOG.error("The webhook at %s cannot be called: %s", kubeflow.webhook.host, error.what)
        return None


def _note(settings: Settings, outcome: RunOutcome) -> bool:
    """Notes that an outcome is told, in the run's folder; of a run that was never begun, beside it.

    Returns:
        Whether it was not noted before.
    """
    name, folder = f".told-{outcome.outcome}", run_folder(settings, outcome.run_id)
    names = [f"{name}-unread", name] if outcome.task == END else [name]
    shared = shared_root(settings)
    if shared is not None:  # where a folder is not made by a file in it
        there = [f"{shared.unit(str(folder))}/{one}" for one in names]
        if any(shared.store.get(one) is not None for one in there):
            return False
        # A write whose answer is lost is sent again, and refused for the file that it has made.
        token = secrets.token_hex(16).encode()
        return shared.store.put(there[0], token, new=True) or shared.store.get(there[0]) == token
    told, *others = [folder / one if folder.is_dir() else folder.with_name(f"{one}-{outcome.run_id}") for one in names]
    told.parent.mkdir(parents=True, exist_ok=True)
    if any(other.exists() for other in others):
        return False
    try:
        os.close(os.open(told, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
    except FileExistsError:
        return False
    return True
