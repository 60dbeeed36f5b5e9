"""One settings file: read, decoded and parsed."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from configs.reading.located import Located, Mistake, Place, shown
from configs.reading.yaml_source import parse_yaml
from schemas.errors import SettingsError


def read_yaml(file: Path) -> tuple[Located, list[Mistake]]:
    """The mapping in a file, and the mistakes that did not keep it from being read.

    Raises:
        SettingsError: the file cannot be read, is not YAML, is empty, or holds something other than a mapping.
    """
    try:
        content = file.read_bytes()
    except FileNotFoundError as error:
        raise SettingsError("There is no such settings file.", where=str(file), fix=_nearest_file(file)) from error
    except IsADirectoryError as error:
        found = sorted(child.name for child in file.iterdir() if child.suffix in (".yaml", ".yml"))
        fix = f"Name a file in it: {', '.join(found[:10])}" if found else "Name a YAML file; there is none in it."
        raise SettingsError("The settings file is a folder.", where=str(file), fix=fix) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SettingsError("The settings file cannot be read.", where=str(file), received=reason) from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = Place(
            str(file), content.count(b"\n", 0, error.start) + 1, error.start - content.rfind(b"\n", 0, error.start)
        )
        raise SettingsError(
            "The settings file is not UTF-8 text.",
            where=str(place),
            received=f"byte 0x{content[error.start]:02x}",
            fix="Save it as UTF-8.",
        ) from error
    tree, mistakes = parse_yaml(text, str(file))
    if tree.value is None:
        raise SettingsError(
            "The settings file is empty.", where=str(file), fix="Start from a copy of configs/minimal.yaml."
        )
    if not isinstance(tree.value, dict):
        raise SettingsError(
            "The settings file does not hold a mapping.",
            where=str(tree.place),
            received=shown(tree),
            fix="Write `key: value` lines, as in configs/minimal.yaml.",
        )
    return tree, mistakes


def _nearest_file(file: Path) -> str:
    if not file.parent.is_dir():
        return f"The folder {file.parent} does not exist either (the current one is {Path.cwd()})."
    names = [child.name for child in file.parent.iterdir() if child.suffix in (".yaml", ".yml")]
    near = get_close_matches(file.name, names, n=1, cutoff=0.5)
    if near:
        return f"Did you mean {file.parent / near[0]}?"
    return (
        f"There are: {', '.join(sorted(names)[:10])}" if names else f"There is no YAML file in {file.parent.resolve()}."
    )
