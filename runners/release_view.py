"""What the released versions of a model are, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from schemas.errors import ReleaseError
from serving.audit_log import CANARY, STABLE, AuditEntry
from serving.blessing import Blessing
from serving.labels import Labels
from serving.release import Release

LATEST = "latest"
_OVERALL = "Overall"
_METRICS = 4
_UNLIMITED = 10_000


def listed(labels: Labels) -> dict[str, Any]:
    """All versions, the newest first; what `release list --json` prints.

    Raises:
        ReleaseError: models.config cannot be read.
    """
    current = labels.current()
    versions = sorted(labels.store.versions().items(), reverse=True)
    return {
        "model": labels.store.model,
        "directory": str(labels.store.directory),
        "labels": current,
        "versions": [_version(version, path, current) for version, path in versions],
    }


def _version(version: int, path: Path, labels: Mapping[str, int]) -> dict[str, Any]:
    try:
        release: Release | None = Release.load(path)
    except ReleaseError as error:
        release, problem = None, str(error.received)
    else:
        problem = ""
    return {
        "version": version,
        "labels": [label for label, labelled in labels.items() if labelled == version],
        "created": release and release.model_dump(mode="json")["created"],
        "run_id": release and release.run_id,
        "metrics": release.metrics.get(_OVERALL, {}) if release else {},
        "blessing": release and release.blessing.model_dump(mode="json"),
        "error": problem,
    }


def detailed(labels: Labels, name: str) -> dict[str, Any]:
    """One version; what `release show --json` prints.

    Args:
        labels: of the model.
        name: number, label or `latest`.

    Raises:
        ReleaseError: there is no such version, or its record, models.config or the audit log cannot be read.
    """
    version = find_version(labels, name)
    return {
        "version": version,
        "path": str(labels.store.versions()[version]),
        "labels": [label for label, labelled in labels.current().items() if labelled == version],
        "release": labels.store.get(version).model_dump(mode="json"),
        "history": [
            entry.model_dump(mode="json", by_alias=True)
            for entry in labels.log.entries()
            if version in (entry.before, entry.after)
        ],
    }


def find_version(labels: Labels, name: str) -> int:
    """The version that a number, a label or `latest` stands for.

    Raises:
        ReleaseError: there is none.
    """
    versions, current = labels.store.versions(), labels.current()
    if name == LATEST and versions:
        return max(versions)
    number = current.get(name, int(name) if name.isascii() and name.isdigit() else None)
    if number in versions:
        return number
    shown = ", ".join(f"{label} ({version})" for label, version in current.items())
    raise ReleaseError(
        "There is no such version." if number is not None else "There is no such version or label.",
        where=str(labels.store.directory),
        received=f"{name}, which is version {number}" if name in current else name,
        fix=f"Give one of these. Versions: {', '.join(map(str, versions)) or 'none'}; labels: {shown or 'none'}.",
    )


def print_list(found: Mapping[str, Any], console: Console) -> None:
    """One line a version."""
    if not found["versions"]:
        console.print(f"No version of {found['model']} is released in {found['directory']}.", soft_wrap=True)
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Version", justify="right", no_wrap=True)
    for heading in ("Labels", "Created (UTC)", "Run", "Blessed", "Metrics"):
        table.add_column(heading, no_wrap=True)
    for one in found["versions"]:
        table.add_row(
            str(one["version"]),
            ", ".join(one["labels"]) or "-",
            (one["created"] or "-").replace("T", " ").partition(".")[0].removesuffix("Z"),
            one["run_id"] or "-",
            _blessed(one["blessing"]),
            _metrics(one["metrics"]) if not one["error"] else "release.json cannot be read",
        )
    console.print(table, width=None if console.is_terminal else _UNLIMITED, crop=console.is_terminal)


def print_detail(found: Mapping[str, Any], console: Console) -> None:
    """The record, and what happened to the version's labels."""
    release = found["release"]
    _line(f"Version {found['version']} of {release['model']}: {found['path']}", console)
    blessing = Blessing.model_validate(release["blessing"])
    verdict = "yes" if blessing.blessed else "no"
    lines = {
        "labels": ", ".join(found["labels"]) or "none",
        "created": f"{release['created']} by run {release['run_id']} of pipeline {release['pipeline']}",
        # Data without spans are of span 0.
        "spans": "-" if release["spans"] in ([], [0]) else ", ".join(map(str, release["spans"])),
        "blessed": f"{verdict}, forced: {blessing.forced}" if blessing.forced else verdict,
        "baseline": blessing.baseline or "-",
        **{f"metrics of {name}": _metrics(values, None) for name, values in release["metrics"].items()},
        "classes": ", ".join(release["classes"]) or "-",
        **{f"fingerprint of {name}": value for name, value in release["fingerprints"].items()},
        "schema": f"SHA-256 {release['schema_hash']}",
        "model": f"digest {release['model_digest']}, {len(release['files'])} files",
        "key": release["key"],
    }
    for name, value in lines.items():
        _line(f"  {name:<26}{value}", console)
    for failure in blessing.failures:
        _line(f"  failed: {failure.metric} of {failure.slice} is {failure.value}, {failure.bound}", console)
    _line("Labels:" if found["history"] else "No label was ever moved to it or from it.", console)
    for line in found["history"]:
        _line(f"  {moved_text(AuditEntry.model_validate(line))}", console)


def moved_text(entry: AuditEntry) -> str:
    """A line of the audit log for people."""
    before, after = ("none" if one is None else str(one) for one in (entry.before, entry.after))
    what = entry.action if entry.action == entry.label else f"{entry.action} {entry.label}"
    text = f"{entry.time:%Y-%m-%d %H:%M:%S} {what} {before} -> {after}"
    if entry.label == STABLE and entry.outcome == "done" and (canary := entry.labels.get(CANARY)) is not None:
        # A part of the live requests was for the versions of before: it has ended.
        kept = f"stays {canary}, for its label only" if canary != entry.after else f"is {canary}, too"
        text += f" (canary {kept})"
    if entry.who or entry.host:
        text += f" by {entry.who} on {entry.host}"
    if entry.percent and entry.outcome == "done":
        text += f", {entry.percent:g} % of the live requests"
    for name, value in (("why", entry.why), ("forced", entry.forced), ("failed", entry.error)):
        text += f", {name}: {value}" if value else ""
    return text


def _blessed(blessing: Mapping[str, Any] | None) -> str:
    if blessing is None:
        return "-"
    return "no" if not blessing["blessed"] else "forced" if blessing["forced"] else "yes"


def _metrics(metrics: Mapping[str, Any], most: int | None = _METRICS) -> str:
    shown: Sequence[str] = [f"{name} {value:.4g}" for name, value in metrics.items() if isinstance(value, (int, float))]
    return ", ".join(shown[:most]) or "-"


def _line(text: str, console: Console) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
