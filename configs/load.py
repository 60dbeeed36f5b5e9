"""Settings from YAML files, overlays, `--set` and the environment."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from configs.reading.check import checked
from configs.reading.located import Located, Mistake
from configs.reading.overlay import merge, parse_override
from configs.reading.settings_file import read_yaml
from configs.reading.validation import mistakes_of
from configs.settings import Settings
from schemas.errors import SettingsError
from schemas.features import FeatureTable

_TABLE = (("features",), ("label",), ("example_weight",))
_SHOWN = 20


def load_settings(
    files: Sequence[Path],
    overrides: Sequence[str | tuple[str, str]] = (),
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """The settings that the files, merged from left to right, and then the overrides describe.

    How overlays merge is said in `configs.reading.overlay`, what `${NAME}` means in `configs.reading.environment`, how
    YAML is read in `configs.reading.yaml_source`. No data path is looked at.

    Args:
        files: YAML files; each is laid over those before it.
        overrides: `a.b=value` texts, as given with `--set`; values are YAML. Of another option its text and what was
            typed.
        environment: what `${NAME}` is read from; default: the process's environment.

    Raises:
        SettingsError: a file cannot be read, or says something that the settings do not have; all mistakes at once.
    """
    if not files:
        raise SettingsError("There is no settings file.", fix="Name one: -c configs/taxi.yaml.")
    read = [*(read_yaml(Path(file)) for file in files), *map(_override, overrides)]
    tree = read[0][0]
    for over, _ in read[1:]:
        tree = merge(tree, over)
    tree, wrong = checked(tree, os.environ if environment is None else environment)
    wrong = [*(found for _, mistakes in read for found in mistakes), *wrong]
    settings = _validated(tree, wrong)
    if settings is None or wrong:
        raise _together(wrong, [str(file) for file in files])
    return settings


def _override(given: str | tuple[str, str]) -> tuple[Located, list[Mistake]]:
    return parse_override(given) if isinstance(given, str) else parse_override(*given)


def _validated(tree: Located, wrong: list[Mistake]) -> Settings | None:
    """The settings, or None with the mistakes that pydantic found appended."""
    plain = tree.plain()
    try:
        return Settings.model_validate(plain)
    except ValidationError as error:
        found = mistakes_of(error, tree, wrong)
    if {"features", "label"} <= set(plain) and not any(mistake.path[:1] in _TABLE for mistake in (*found, *wrong)):
        # pydantic checks a model as a whole only when all of its parts are right; the table need not wait for the rest.
        try:
            FeatureTable(features=plain.get("features"), label=plain.get("label"), weight=plain.get("example_weight"))
        except ValidationError as error:
            found += mistakes_of(error, tree, wrong)
    wrong += found
    return None


def _together(wrong: Iterable[Mistake], sources: Sequence[str]) -> SettingsError:
    """One error that lists the mistakes, in the order of the files and of their lines."""
    order = {source: rank for rank, source in enumerate(sources)}
    ranked = sorted(
        wrong, key=lambda found: (order.get(found.place.source, len(order)), found.place.line, found.place.column)
    )
    errors = list(dict.fromkeys(str(found.error) for found in ranked))
    if len(errors) == 1:
        return ranked[0].error
    rest = f"\n\n... and {len(errors) - _SHOWN} more" if len(errors) > _SHOWN else ""
    return SettingsError(f"There are {len(errors)} mistakes in the settings.\n\n" + "\n\n".join(errors[:_SHOWN]) + rest)
