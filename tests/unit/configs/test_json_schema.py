from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from configs.json_schema import settings_json_schema

FILES = sorted(Path(__file__).parents[3].joinpath("configs").glob("*.yaml"))
VALIDATOR = jsonschema.Draft202012Validator(settings_json_schema())


def test_it_is_a_json_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(settings_json_schema())


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.name))
def test_every_shipped_file_is_valid(file: Path) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(file.read_text()))] == []


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        ((), "trainig", {}),
        (("training",), "epoch", 3),
        (("training",), "epochs", 0),
        (("features", "fare"), "kind", "numerc"),
        (("features", "fare"), "buckets", 3),
        (("evaluation", "thresholds"), "acuracy", {"lower": 0.5}),
        ((), "curated_schema", {}),
    ],
)
def test_a_mistake_is_not_valid(path: tuple[str, ...], key: str, value: object) -> None:
    settings = yaml.safe_load(FILES[[file.name for file in FILES].index("taxi.yaml")].read_text())
    place = settings
    for step in path:
        place = place.setdefault(step, {})
    place[key] = value
    assert not VALIDATOR.is_valid(settings)


def test_the_curated_schema_has_the_key_of_the_files() -> None:
    properties = settings_json_schema()["properties"]
    assert "schema" in properties
    assert "curated_schema" not in properties


def test_it_is_the_same_text_every_time() -> None:
    assert json.dumps(settings_json_schema()) == json.dumps(settings_json_schema())


def test_no_section_takes_unknown_keys_and_every_section_is_described() -> None:
    sections = [section for section in _objects(settings_json_schema()) if "properties" in section]
    assert len(sections) > 20
    assert all(section["additionalProperties"] is False and section["description"] for section in sections)


def test_it_says_its_dialect_and_title() -> None:
    schema = settings_json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"] == "scalable-tensorflow settings"


def _objects(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, dict):
        if node.get("type") == "object":
            yield node
        for child in node.values():
            yield from _objects(child)
    elif isinstance(node, list):
        for child in node:
            yield from _objects(child)
