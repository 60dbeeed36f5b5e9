"""What is worth knowing of a run at its end, for its record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tfx.components.example_gen import utils
from tfx.orchestration.metadata import Metadata

from components.example_gen.fingerprint import fingerprint
from components.example_gen.inputs import find_place, split_path
from components.pusher.executor import PUSHED_MODEL_KEY, VERSION_PROPERTY
from configs.paths import resolve
from configs.settings import Settings
from pipeline import nodes
from runners.history.graph import number, text
from runners.history.runs import run_executions
from runners.node import NodeOutcome
from schemas.artifacts import REASON_PROPERTY
from schemas.errors import DataError, SettingsError


def data_facts(metadata: Metadata, run_id: str) -> dict[str, Any]:
    """Fingerprint and version of the data that a run has found; empty before that.

    Args:
        metadata: an entered connection.
        run_id: the run.
    """
    facts: dict[str, Any] = {}
    for execution in run_executions(metadata.store, run_id):
        if found := text(execution, utils.FINGERPRINT_PROPERTY_NAME):
            facts["data"] = found
        version = number(execution, utils.VERSION_PROPERTY_NAME)
        if version is not None:
            facts["version"] = version
    return facts


def refused_facts(settings: Settings) -> dict[str, Any]:
    """Fingerprint and version of data that ExampleGen has refused: ML Metadata keeps neither; empty without files.

    Args:
        settings: of the run.
    """
    data = settings.data
    if data.path is None or data.prepare is not None:  # what is prepared is not what could be looked at later
        return {}
    try:
        place = find_place(*split_path(resolve(data.path)), data.span, data.files)
        facts: dict[str, Any] = {"data": fingerprint(place.files)}
    except (DataError, SettingsError, OSError):
        return {}
    return facts if place.version is None else {**facts, "version": place.version}


def release_facts(outcomes: Mapping[str, NodeOutcome]) -> dict[str, Any]:
    """The version that a run has released, or why it has released none; empty where it did not go so far.

    Args:
        outcomes: how its nodes ended.
    """
    if nodes.PUSHER not in outcomes:
        return {}
    (pushed,) = outcomes[nodes.PUSHER].outputs[PUSHED_MODEL_KEY]
    version = str(pushed.properties.get(VERSION_PROPERTY) or "")
    return {"release": int(version) if version.isdigit() else 0, "reason": pushed.properties.get(REASON_PROPERTY) or ""}
