"""The triggers beside time: which of them have fired, and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from configs.settings import Settings
from runners.schedule.gate_report import drift_of
from runners.schedule.served_metrics import served_metrics
from runners.schedule.served_release import served_release
from runners.schedule.situation import Situation
from schemas.errors import SettingsError


def signals(settings: Settings, situation: Situation) -> dict[str, str]:
    """Why trainings are due beside the times of the schedule, by trigger; `new_span` needs no look and is not here.

    Args:
        settings: of the pipeline.
        situation: data, runs and clock.

    Raises:
        SettingsError: a trigger names a metric that there is not.
    """
    triggers = settings.schedule.triggers
    found: dict[str, str] = {}
    served = None
    if triggers.max_age_hours is not None or triggers.min_metric:
        served = served_release(settings)
    if triggers.max_age_hours is not None:
        age = timedelta.max if served is None else situation.now - served.release.created
        if served is None:
            found["age"] = "no model is released yet"
        elif age > timedelta(hours=triggers.max_age_hours):
            found["age"] = f"release {served} is {age / timedelta(hours=1):.1f} hours old"
    fresh = newest_ingested(situation)
    drift = drift_of(settings, situation.histories[fresh].last.run_id) if triggers.drift and fresh is not None else ""
    if drift:
        found["drift"] = f"it has drifted: {drift}"
    if triggers.min_metric and fresh is not None and served is not None:
        measured = served_metrics(settings, situation.histories[fresh].last.run_id)
        # One that was served before says nothing; a scheduler at work measures the one that is.
        if (
            measured
            and measured["release"] == served.release.version
            and (below := _below(triggers.min_metric, measured))
        ):
            found["metric"] = below
    return found


def _below(limits: Mapping[str, float], served: Mapping[str, Any]) -> str:
    """The first limit that the released model has fallen below, in words."""
    metrics = served.get("metrics", {})
    for name, limit in limits.items():
        if metrics and name not in metrics:
            raise SettingsError(
                "The released model has no such metric.",
                where="schedule.triggers.min_metric",
                received=name,
                fix=f"Its metrics: {', '.join(sorted(metrics))}.",
            )
        value = metrics.get(name)
        if value is not None and value < limit:
            return f"release {served['release']} has {name} {value:.4f} on it, below {limit:g}"
    return ""


def newest_ingested(situation: Situation) -> int | None:
    """The newest span, where it is ingested and no training of it is complete."""
    newest = max(situation.arrived, default=-1)
    history = situation.histories.get(newest)
    return newest if history is not None and history.progress == "ingested" else None
