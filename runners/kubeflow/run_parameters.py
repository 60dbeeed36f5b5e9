"""The parameters of a compiled pipeline: the settings, and what may be said anew for each run."""

from __future__ import annotations

import json
from dataclasses import dataclass

from pydantic import ValidationError

from configs.settings import Settings
from schemas.errors import SettingsError

NO_SPAN = -1


@dataclass(frozen=True)
class RunParameters:
    """What a run is started with.

    Attributes:
        settings: JSON, as `settings_text` makes it.
        span: the newest span to read; -1: as the settings say.
        steps: steps of the training; 0: as the settings say.
        window: how many spans to read; 0: as the settings say.
    """

    settings: str
    span: int = NO_SPAN
    steps: int = 0
    window: int = 0


def settings_text(settings: Settings) -> str:
    """The settings as a parameter: what was set, without defaults, because Kubeflow's parameters are short.

    Secrets are the names of their variables.
    """
    # Not sorted: the order of the features is the order of what is made from them.
    content = settings.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False)


def settings_of(parameters: RunParameters) -> Settings:
    """The settings of a run.

    Raises:
        SettingsError: a parameter cannot be used.
    """
    settings = read_settings(parameters.settings)
    over: dict[str, object] = {}
    if parameters.span != NO_SPAN:
        over["data"] = {"span": parameters.span}
    if parameters.steps:
        over["training"] = {"steps": parameters.steps}
    if parameters.window:
        # The tasks are those of the compiled settings: with a window there is one more.
        if settings.window.is_used != (parameters.window > 1):
            raise SettingsError(
                "The pipeline was compiled " + ("with a window." if settings.window.is_used else "without a window."),
                where="the pipeline's parameter window",
                received=parameters.window,
                fix="Give 0, or another number above 1."
                if settings.window.is_used
                else "Compile it with window.spans, and give the parameter then.",
            )
        over["window"] = {"spans": parameters.window}
    if not over:
        return settings
    content = settings.model_dump(mode="json", by_alias=True, exclude_unset=True)
    for section, values in over.items():
        content[section] = {**content.get(section, {}), **values}  # type: ignore[dict-item]
    return _validated(content, "the pipeline's parameters")


def read_settings(text: str) -> Settings:
    """The settings that a parameter holds.

    Raises:
        SettingsError: it is not JSON, or no settings.
    """
    try:
        content = json.loads(text)
    except ValueError as error:
        raise SettingsError(
            "The parameter settings is not JSON.",
            where="the pipeline's parameter settings",
            received=f"{text[:80]}: {error}",
            fix="Leave it out: the compiled pipeline has its own. Or give what scalable-tf kubeflow compile writes.",
        ) from error
    return _validated(content, "the pipeline's parameter settings")


def _validated(content: object, where: str) -> Settings:
    try:
        return Settings.model_validate(content)
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_url=False)]
        raise SettingsError(
            "The settings are wrong.",
            where=where,
            received="; ".join(wrong),
            fix="Compile the pipeline again with the version of the image, or leave the parameter as compiled.",
        ) from error
