"""The JSON Schema of the settings files, from which editors complete and check YAML."""

from __future__ import annotations

from typing import Any

from configs.settings import Settings

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def settings_json_schema() -> dict[str, Any]:
    """The JSON Schema of a settings file, with the keys in the order of the models; equal from call to call.

    Source: JSON Schema 2020-12, https://json-schema.org/draft/2020-12
    """
    schema = Settings.model_json_schema(by_alias=True, mode="validation")
    schema["description"] = "Settings of one scalable-tensorflow pipeline."
    return {"$schema": DIALECT, **schema, "title": "scalable-tensorflow settings"}
