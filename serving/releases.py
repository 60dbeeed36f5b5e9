"""The released versions of one model, in the layout that model servers poll: <root>/<model>/<version>/saved_model.pb.

A version is a directory whose name is a number. It becomes visible by one rename, when every byte of it is on the disk;
it disappears by one rename, before its first file is deleted. Names that start with a dot are the store's own, and
model servers ignore them. What is hidden while nobody holds the lock was left by a process that died.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from pathlib import Path

from schemas.errors import ReleaseError
from schemas.storage_error import storage_error
from serving import saved_model
from serving.audit_log import AuditLog, stable_history
from serving.directory_lock import directory_lock
from serving.release import FILE_NAME, Provenance, Release
from serving.served_models import ServedModels, protected_versions

_STAGING = ".staging-"
_DELETED = ".deleted-"
_LARGEST = 2**63 - 1


class ReleaseStore:
    """The versions of one model.

    Args:
        root: the folder of all models; made when something is published.
        model: name of the model.
    """

    def __init__(self, root: Path, model: str) -> None:
        self.model = model
        self.directory = root / model

    def versions(self) -> dict[int, Path]:
        """Version directories by number, lowest first. Leading zeros are fine; files and other names are ignored."""
        if not self.directory.is_dir():
            return {}
        found: dict[int, Path] = {}
        # Of 7 and 007 the shorter name is taken, in whatever order the file system lists them.
        for path in sorted(self.directory.iterdir(), key=lambda path: len(path.name), reverse=True):
            number = _number(path.name)
            if number is not None and path.is_dir():
                found[number] = path
        return dict(sorted(found.items()))

    def get(self, version: int) -> Release:
        """The record of a version.

        Raises:
            ReleaseError: there is no such version, or its record cannot be read.
        """
        directory = self.versions().get(version)
        if directory is None:
            raise ReleaseError(
                "There is no such version.",
                where=str(self.directory),
                received=version,
                fix=f"Versions there: {', '.join(map(str, self.versions())) or 'none'}.",
            )
        return Release.load(directory)

    def releases(self) -> tuple[Release, ...]:
        """Records of the versions that have their own readable one, lowest version first; others were not made here."""
        found = []
        for version, directory in self.versions().items():
            with contextlib.suppress(ReleaseError):
                release = Release.load(directory)
                # A version that was copied by hand brings the record of another one with it.
                if release.version == version:
                    found.append(release)
        return tuple(found)

    def newest(self) -> Release | None:
        """The record of the highest version that has a readable one, or None."""
        releases = self.releases()
        return releases[-1] if releases else None

    def publish(self, source: Path, provenance: Provenance) -> Release:
        """Releases a SavedModel as the next version, one more than the highest there.

        The newest version is returned instead when it is this model from this origin. An older one is not: servers
        serve the newest, so that going back to an earlier model makes it a new version.

        Args:
            source: directory of the SavedModel.
            provenance: where it comes from.

        Raises:
            ReleaseError: there is no SavedModel, it changes while it is copied, or the store cannot be written; nothing
                is left behind then.
            RunError: the disk is full, read-only or not to be written to; nothing is left behind then either.
        """
        files = saved_model.checksums(source)
        key = _key(saved_model.digest(files), provenance)
        with self._changing():
            newest = self.newest()
            if newest is not None and newest.key == key:
                return newest
            staging = self.directory / f"{_STAGING}{secrets.token_hex(8)}"
            try:
                return self._publish(source, staging, provenance, files, key)
            finally:
                shutil.rmtree(staging, ignore_errors=True)

    def _publish(self, source: Path, staging: Path, provenance: Provenance, files: dict[str, str], key: str) -> Release:
        staging.mkdir()
        if saved_model.copy(source, staging) != files:
            raise ReleaseError(
                "The SavedModel changed while it was copied.",
                where=str(source),
                fix="Nothing else may write there; run the pipeline again.",
            )
        release = Release.of(
            provenance,
            model=self.model,
            version=self._next(),
            created=datetime.now(timezone.utc),
            files=files,
            key=key,
        )
        with (staging / FILE_NAME).open("x", encoding="utf-8") as file:
            file.write(release.to_json())
            file.flush()
            os.fsync(file.fileno())
        saved_model.sync_directory(staging)
        staging.rename(self.directory / str(release.version))
        for directory in (self.directory, self.directory.parent):
            saved_model.sync_directory(directory)
        return release

    def _next(self) -> int:
        version = max(self.versions(), default=0) + 1
        while os.path.lexists(self.directory / str(version)):
            version += 1
        if version > _LARGEST:
            raise ReleaseError(
                "There is no version number left.",
                where=str(self.directory),
                received=version - 1,
                fix="Remove the directory with that number: model servers read versions as 64-bit integers.",
            )
        return version

    def retain(self, keep: int, *, protected: Iterable[int] = ()) -> tuple[int, ...]:
        """Deletes all but the `keep` highest versions.

        Never deleted: the newest blessed version, the newest that is blessed without force, those that models.config
        names because they have a label, the one that a rollback would go back to, the protected ones, and versions
        without a readable record, which were not made here.

        Args:
            keep: versions to keep, at least 1.
            protected: versions to keep whatever their number.

        Returns:
            The deleted versions.

        Raises:
            ReleaseError: the store cannot be written, or what is served cannot be read; nothing is deleted then.
        """
        if not self.directory.is_dir():
            return ()
        with self._changing():
            releases = self.releases()
            kept = {release.version for release in releases[-max(keep, 1) :]} | set(protected) | self._served()
            blessed = [release for release in releases if release.blessing.blessed]
            kept |= {release.version for release in blessed[-1:]}
            kept |= {release.version for release in [r for r in blessed if r.blessing.forced is None][-1:]}
            directories = self.versions()
            deleted = tuple(release.version for release in releases if release.version not in kept)
            for version in deleted:
                hidden = self.directory / f"{_DELETED}{secrets.token_hex(8)}"
                directories[version].rename(hidden)
                shutil.rmtree(hidden)
            return deleted

    def _served(self) -> set[int]:
        """The versions that model servers are to hold, or would be by a rollback."""
        there = self.versions()
        earlier = [version for version in stable_history(AuditLog(self.directory).entries())[:-1] if version in there]
        config = ServedModels(self.directory.parent).config()
        return {*earlier[-1:], *protected_versions(config, self.model)}

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """Holds the lock, without leftovers of processes that died; an OSError becomes a RunError or a ReleaseError."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            with directory_lock(self.directory):
                for path in self.directory.iterdir():
                    if path.name.startswith((_STAGING, _DELETED)):
                        shutil.rmtree(path)
                yield
        except OSError as error:
            raise storage_error(error, self.directory) or ReleaseError(
                "The released versions cannot be written.",
                where=str(error.filename or self.directory),
                received=error.strerror or error,
                fix="Check that it is a directory, and what limits there are on files (ulimit -a).",
            ) from error


def _number(name: str) -> int | None:
    """The version that a directory's name stands for; None where model servers see none."""
    if not (name.isascii() and name.isdigit()) or int(name) > _LARGEST:
        return None
    return int(name)


def _key(model_digest: str, provenance: Provenance) -> str:
    text = json.dumps([model_digest, provenance.origin], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
