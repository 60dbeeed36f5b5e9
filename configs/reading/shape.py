"""What the settings allow at each place, read from their JSON Schema, which is made from the pydantic models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from configs.json_schema import settings_json_schema
from configs.secret import DEFERRED_KEY, ENVIRONMENT_KEY, SECRET_KEY


class Shape:
    """What is allowed at one place.

    Args:
        schema: the JSON Schema of the place; references point into `definitions`.
        definitions: the `$defs` of the whole schema.
    """

    def __init__(self, schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions
        self._options: tuple[Mapping[str, Any], ...] = tuple(_options(schema, definitions))
        self.description = str(next((text for text in (schema.get("description"),) if text), ""))
        self.default = schema.get("default")

    @property
    def types(self) -> frozenset[str]:
        """Names of the JSON types that are allowed; empty where anything is."""
        return frozenset(option["type"] for option in self._options if "type" in option)

    @property
    def choices(self) -> list[str]:
        """The values, or the keys of a free mapping, where they are listed."""
        found: list[str] = []
        for option in self._options:
            names = option.get("propertyNames", {})
            found += [
                *option.get("enum", ()),
                *([option["const"]] if "const" in option else ()),
                *names.get("enum", ()),
            ]
        return found

    @property
    def environment(self) -> bool:
        """True if `${NAME}` is allowed here."""
        return any(option.get(ENVIRONMENT_KEY) for option in self._options)

    @property
    def secret(self) -> bool:
        """True if the text here is a URL that may hold a password."""
        return any(option.get(SECRET_KEY) for option in self._options)

    @property
    def deferred(self) -> bool:
        """True if a `${NAME}` here is left for the moment when the URL is used."""
        return any(option.get(DEFERRED_KEY) for option in self._options)

    @property
    def discriminator(self) -> str | None:
        """The key that says which kind of mapping stands here, for example `kind`."""
        return next((option["discriminator"]["propertyName"] for option in self._options if "oneOf" in option), None)

    @property
    def kinds(self) -> dict[str, Shape]:
        """The mappings that may stand here, by the value of the discriminator."""
        return {
            kind: Shape({"$ref": reference}, self._definitions)
            for option in self._options
            if "oneOf" in option
            for kind, reference in option["discriminator"]["mapping"].items()
        }

    @property
    def keys(self) -> list[str]:
        """The keys that a mapping may have here; those of all kinds where there are several."""
        found = [key for option in self._options for key in option.get("properties", ())]
        return list(dict.fromkeys([*found, *(key for kind in self.kinds.values() for key in kind.keys)]))

    @property
    def free(self) -> bool:
        """True if the mapping's keys are the user's own names."""
        return any(isinstance(option.get("additionalProperties"), Mapping) for option in self._options)

    def of_kind(self, kind: object) -> Shape:
        """What the mapping of this kind allows; the shape itself where there are no kinds, or no such one."""
        return self.kinds.get(kind, self) if isinstance(kind, str) else self

    def child(self, step: str | int) -> Shape | None:
        """What is allowed under a key or at an index; None if nothing is."""
        for option in self._options:
            found: Any = None
            if isinstance(step, int):
                prefix = option.get("prefixItems", ())
                found = prefix[step] if step < len(prefix) else option.get("items")
            elif step in option.get("properties", {}):
                found = option["properties"][step]
            elif isinstance(option.get("additionalProperties"), Mapping):
                found = option["additionalProperties"]
            if isinstance(found, Mapping):
                return Shape(found, self._definitions)
        return next((found for kind in self.kinds.values() if (found := kind.child(step))), None)


@lru_cache(maxsize=1)
def settings_shape() -> Shape:
    """The shape of the whole settings."""
    schema = settings_json_schema()
    return Shape(schema, schema["$defs"])


def _options(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "$ref" in schema:
        yield from _options(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    elif "anyOf" in schema:
        for option in schema["anyOf"]:
            yield from _options(option, definitions)
    else:
        yield schema
