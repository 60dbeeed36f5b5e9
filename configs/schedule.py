"""Settings of scheduled retraining: when a run is due, what it is tried with, and who hears of its end."""

from __future__ import annotations

from datetime import datetime, timezone, tzinfo
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, Field, model_validator

from configs.kubernetes_pods import KubernetesPods
from configs.section import Section
from configs.webhook import WebhookUrl
from schemas.errors import PlacedValueError
from schemas.nearest import nearest

_UTC = "UTC"
_EXAMPLES = (_UTC, "Europe/Berlin", "America/New_York", "Asia/Tokyo")


def _is_cron(expression: str) -> str:
    try:
        next(iter(CronSim(expression, datetime(2000, 1, 1, tzinfo=timezone.utc))))
    except CronSimError as error:
        reason = f"{str(error)[0].lower()}{str(error)[1:]}"
        raise ValueError(
            "must be a cron expression of five fields, minute hour day month weekday, such as 30 6 * * *; "
            f"it has a {reason}"
        ) from error
    except StopIteration:
        raise ValueError("must be a cron expression of a time that comes: none in the next 50 years does") from None
    return expression


Cron = Annotated[str, AfterValidator(_is_cron)]
"""Minute, hour, day of the month, month, weekday."""


class Hook(Section):
    """Who hears of the end of a run: a command, a webhook, or both."""

    command: tuple[str, ...] = Field(
        (), description="Program and arguments; what happened is in its environment, as STF_SPAN and others."
    )
    webhook: WebhookUrl | None = Field(None, description="URL that gets the same as JSON, by POST; it is secret.")
    seconds: float = Field(30.0, gt=0.0, le=600.0, description="How long each of them may take.")

    @property
    def is_set(self) -> bool:
        """Whether anybody is to hear of anything."""
        return bool(self.command) or self.webhook is not None


class Triggers(Section):
    """What starts a training beside the times of schedule.cron; one of them is enough."""

    new_span: bool = Field(False, description="A new span is there.")
    drift: bool = Field(False, description="The statistics of a new span have drifted beyond validation.drift.")
    max_age_hours: float | None = Field(None, gt=0.0, description="The release that is served is older.")
    min_metric: dict[str, float] = Field(
        {}, description="The model that is served is worse on a new span: the least value of each of these metrics."
    )

    @property
    def by_content(self) -> bool:
        """Whether new spans are ingested as they come, to be looked at."""
        return self.drift or bool(self.min_metric)

    @property
    def is_set(self) -> bool:
        """Whether anything but time starts a training."""
        return self.new_span or self.by_content or self.max_age_hours is not None


class Schedule(Section):
    """When the pipeline trains on spans that arrive. `scalable-tf schedule` reads it; a plain run does not."""

    cron: Cron | None = Field(
        None, description="When trainings are due: minute hour day month weekday. Default: only by the triggers."
    )
    time_zone: str = Field(_UTC, description="Of cron, and of the days of spans: an IANA name, such as Europe/Berlin.")
    catch_up: Literal["none", "latest", "all"] = Field(
        "latest",
        description="Of several spans that wait, and of times that passed while nothing ran: none and latest train on "
        "the newest span only, all on each in order; none also lets missed times pass.",
    )
    max_retries: int = Field(3, ge=0, description="How often a run that failed is tried again.")
    backoff_seconds: float = Field(60.0, ge=0.0, description="Pause before the first of these; it doubles each time.")
    max_backoff_seconds: float = Field(3600.0, ge=0.0, description="The longest pause.")
    run_seconds: float | None = Field(None, gt=0.0, description="A run that takes longer is ended, and has failed.")
    lateness_seconds: float = Field(
        0.0, ge=0.0, description="How long after its time a span may come before it counts as missing."
    )
    held_up_seconds: float = Field(
        1800.0,
        ge=0.0,
        description="How long nothing can be done, because a store is away or a run by hand is in the way, before "
        "on_failure is called; it is called once more when things go on.",
    )
    poll_seconds: float = Field(60.0, ge=0.1, description="How often it is looked for spans while one is waited for.")
    triggers: Triggers = Triggers()
    on_failure: Hook = Field(
        Hook(), description="Called when a run failed, the data of a span were refused, or nothing can be done."
    )
    on_success: Hook = Field(Hook(), description="Called when a training is complete, its model released or not.")
    kubernetes: KubernetesPods | None = Field(
        None,
        description="The pod of `scalable-tf schedule cronjob`; its resources are those of the role chief. Default: "
        "training.cluster.kubernetes.",
    )

    @property
    def zone(self) -> tzinfo:
        """The time zone."""
        return timezone.utc if self.time_zone == _UTC else ZoneInfo(self.time_zone)

    @property
    def is_set(self) -> bool:
        """Whether anything ever starts a training."""
        return self.cron is not None or self.triggers.is_set

    def backoff(self, attempt: int) -> float:
        """Seconds to wait after the failure of an attempt, the first being 1."""
        return float(min(self.backoff_seconds * 2.0 ** min(attempt - 1, 60), self.max_backoff_seconds))

    @model_validator(mode="after")
    def _known_zone(self) -> Schedule:
        if self.time_zone == _UTC:
            return self
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            known = available_timezones()
            raise PlacedValueError(
                "must be the name of a time zone" if known else "is not known: this machine lacks the package tzdata",
                ("time_zone",),
                known=sorted(known) if nearest(self.time_zone, known) else _EXAMPLES,
                received=self.time_zone,
            ) from None
        return self
