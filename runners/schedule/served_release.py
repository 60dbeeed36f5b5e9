"""The released version that production uses, which is what a schedule compares with."""

from __future__ import annotations

from dataclasses import dataclass

from configs.settings import Settings
from pipeline.pipeline import root
from serving.audit_log import STABLE
from serving.labels import Labels
from serving.release import Release


@dataclass(frozen=True)
class ServedRelease:
    """A version.

    Attributes:
        release: its record.
        label: `stable`; empty: no version has this label, and the newest one is served.
    """

    release: Release
    label: str

    def __str__(self) -> str:
        return f"{self.release.version} ({self.label or 'the newest'})"


def served_release(settings: Settings) -> ServedRelease | None:
    """The version that is labelled `stable`, else the newest one; None: nothing is released.

    A label whose version is gone, or has no record, counts as none.

    Raises:
        ReleaseError: models.config cannot be read.
    """
    labels = Labels(root(settings) / "releases", settings.model_name)
    releases = labels.store.releases()
    stable = labels.current().get(STABLE)
    for release in releases:
        if release.version == stable:
            return ServedRelease(release, STABLE)
    return ServedRelease(releases[-1], "") if releases else None
