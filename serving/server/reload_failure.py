"""Models that a reload could not make available, in TensorFlow Serving's words."""

from __future__ import annotations

from serving.server.model_versions import ModelVersions


def reload_failure(model: ModelVersions, *, new: bool) -> str | None:
    """What is wrong with a model that should be served and is not; None if it is.

    As TensorFlow Serving, of a model that was listed before (not `new`) it does not say what of its new config could
    not be loaded: that is in its states.
    """
    available = model.available()
    if available and model.versions[available[0]].error_message:
        version = available[0]  # its folder has moved to where it cannot be loaded
    elif available or not new:
        return None
    elif model.versions:
        version = max(model.versions)
    else:
        folder = model.config.base_path
        return f"{{{{name: {model.config.name}}} due to error: there is none of its versions in {folder}}}"
    found = model.versions[version]
    error = f"{found.error_code}: {found.error_message}"
    return f"{{{{name: {model.config.name} version: {version}}} due to error: {error}}}"
