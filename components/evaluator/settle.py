"""The verdict as TFX's ModelBlessing artifact."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfx.components.evaluator import constants

from serving.blessing import Blessing

FORCED_PROPERTY = "forced"
BASELINE_PROPERTY = "baseline"
NO_BASELINE = "none"


def settle(artifact: Any, judged: Blessing, model: Any, baselines: list[Any]) -> None:
    """Makes a ModelBlessing artifact say what the verdict says, whatever TFX's executor has left there.

    Args:
        artifact: to change, and to write to.
        judged: the verdict.
        model: the Model artifact that was judged.
        baselines: the one that it was compared with, if any.
    """
    directory = Path(artifact.uri)
    directory.mkdir(parents=True, exist_ok=True)
    names = {True: constants.BLESSED_FILE_NAME, False: constants.NOT_BLESSED_FILE_NAME}
    (directory / names[not judged.blessed]).unlink(missing_ok=True)
    (directory / names[judged.blessed]).touch()
    value = constants.BLESSED_VALUE if judged.blessed else constants.NOT_BLESSED_VALUE
    artifact.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, value)
    # TFX sets these two only when it has validated, but the search for the latest blessed model needs them.
    artifact.set_string_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY, model.uri)
    artifact.set_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model.id)
    for found in baselines:
        artifact.set_string_custom_property(constants.ARTIFACT_PROPERTY_BASELINE_MODEL_URI_KEY, found.uri)
        artifact.set_int_custom_property(constants.ARTIFACT_PROPERTY_BASELINE_MODEL_ID_KEY, found.id)
    artifact.set_string_custom_property(BASELINE_PROPERTY, judged.baseline or NO_BASELINE)
    if judged.forced is not None:
        artifact.set_string_custom_property(FORCED_PROPERTY, judged.forced)
