"""`scalable-tf schema infer | diff | accept`: how an inferred schema becomes a curated one, under review."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from google.protobuf import text_format

from configs.paths import resolve
from configs.settings import Settings
from runners.commands.exit_codes import EXIT_DIFFERENT, EXIT_OK
from runners.needed_schema import inferred_schema, needed_schema, remaining_anomalies, select_changes
from runners.newest_statistics import newest_statistics
from schemas.compare import Change, compare_schemas
from schemas.curated import load_schema, save_schema
from schemas.errors import SchemaError


def infer(settings: Settings, output: Path | None = None) -> int:
    """Prints the schema that the newest run's statistics give, or writes it to a file that does not exist yet.

    Returns:
        The exit code, 0.

    Raises:
        RunError: no run has made statistics.
        SchemaError: the file exists or cannot be written.
    """
    schema = inferred_schema(newest_statistics(settings).splits)
    if output is None:
        print(text_format.MessageToString(schema), end="")
        return EXIT_OK
    if output.exists():
        raise SchemaError(
            "The file exists already.",
            where=str(output),
            fix="Take the changes that the data ask for into it with: scalable-tf schema accept -c FILE. "
            "To start anew, remove it first.",
        )
    save_schema(schema, output)
    print(f"Wrote {output}: {len(schema.feature)} features. Review it, then hold the data to it:")
    print(f"  schema:\n    path: {output}")
    return EXIT_OK


def diff(settings: Settings) -> int:
    """Prints what the newest run's data would change in the curated schema, in words.

    Returns:
        The exit code: 4 when there is a difference or an anomaly, else 0.

    Raises:
        SettingsError: the settings name no curated schema.
        RunError: no run has made statistics.
        SchemaError: the curated schema cannot be read.
    """
    path = _curated_path(settings)
    curated = load_schema(path)
    statistics = newest_statistics(settings)
    needed = needed_schema(curated, statistics.splits, settings.table.columns)
    changes = compare_schemas(curated, needed)
    anomalies = remaining_anomalies(curated, statistics.splits)
    print(f"Curated schema: {path}\nData: {statistics}")
    if not changes and not anomalies:
        print("No difference: the data are what the curated schema says.")
        return EXIT_OK
    _print_changes(changes)
    for split, texts in anomalies.items():
        print(f"Anomalies in {split}:")
        for feature, text in sorted(texts.items()):
            print(f"  {feature}: {_short(text)}")
    print("scalable-tf schema accept -c FILE takes these changes; with --feature NAME, only that feature's.")
    return EXIT_DIFFERENT


def accept(settings: Settings, features: Sequence[str] = ()) -> int:
    """Takes the changes that the data ask for into the curated file, prints them, and leaves the rest as it is.

    Args:
        settings: name the curated schema.
        features: only these features' changes; `dataset` stands for the bounds on the number of rows. Empty: all.

    Returns:
        The exit code, 0.

    Raises:
        SettingsError: the settings name no curated schema.
        RunError: no run has made statistics.
        SchemaError: the curated schema cannot be read or written, or a feature has no change.
    """
    path = _curated_path(settings)
    curated = load_schema(path)
    statistics = newest_statistics(settings)
    accepted = needed_schema(curated, statistics.splits, settings.table.columns)
    if features:
        _check_names(features, compare_schemas(curated, accepted))
        accepted = select_changes(curated, accepted, features)
    changes = compare_schemas(curated, accepted)
    print(f"Curated schema: {path}\nData: {statistics}")
    if not changes:
        print("No difference: the file is left as it is.")
        return EXIT_OK
    save_schema(accepted, path)
    _print_changes(changes)
    print("Written. Comments are kept at the top of the file only; review the change and commit it.")
    for split, texts in remaining_anomalies(accepted, statistics.splits).items():
        for feature, text in sorted(texts.items()):
            print(f"Still an anomaly in {split}: {feature}: {_short(text)}")
    return EXIT_OK


def _curated_path(settings: Settings) -> Path:
    if settings.curated_schema.path is None:
        raise SchemaError(
            "The settings name no curated schema, so each run infers its own.",
            where="schema.path",
            fix="Write the inferred one and name it in the settings: scalable-tf schema infer -c FILE -o schema.pbtxt",
        )
    return Path(resolve(settings.curated_schema.path))


def _check_names(features: Sequence[str], changes: Sequence[Change]) -> None:
    changed = list(dict.fromkeys(change.feature for change in changes))
    for name in features:
        if name not in changed:
            near = get_close_matches(name, changed, n=1)
            raise SchemaError(
                "The data ask for no change of this feature.",
                where="--feature",
                received=name,
                fix=f"Did you mean {near[0]}?" if near else f"Features with a change: {', '.join(changed) or 'none'}.",
            )


def _print_changes(changes: Sequence[Change]) -> None:
    print("Changes:")
    for change in changes:
        print(f"  {change}")


def _short(text: str, length: int = 200) -> str:
    return text.strip() if len(text) <= length else text[:length].rstrip() + "..."
