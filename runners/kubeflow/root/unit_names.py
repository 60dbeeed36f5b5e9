"""Names in a shared root of what is known of a folder, beside its files."""

from __future__ import annotations

MANIFESTS = ".manifests"
CLAIMS = ".claims"
DELETED = ".deleted"
_SUFFIX = ".json"


def manifest_name(unit: str) -> str:
    """Of what a folder holds."""
    return f"{MANIFESTS}/{unit}{_SUFFIX}"


def unit_of(manifest: str) -> str:
    """The folder of a manifest."""
    return manifest.removeprefix(f"{MANIFESTS}/").removesuffix(_SUFFIX)


def claim_name(unit: str) -> str:
    """Of the run that has a folder's name."""
    return f"{CLAIMS}/{unit}"


def deletion_name(unit: str) -> str:
    """Of what is being deleted of a folder."""
    return f"{DELETED}/{unit}"
