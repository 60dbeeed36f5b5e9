"""What lies under output_dir, in an object store: whole folders, by their paths below it.

    <root>/artifacts/Trainer/model/7/...             the files of an artifact, as they are on the disk
    <root>/logs/<run id>/...                         of a run; settings.json is there when all is that begin has written
    <root>/releases/<model>/<version>/...            release.json is the last of its files
    <root>/.manifests/artifacts/Trainer/model/7.json what the folder holds; without it nobody takes the folder for whole
    <root>/.claims/releases/<model>/<version>        the run that has the number
    <root>/.deleted/releases/<model>/<version>       what is being deleted there; left over, its process was killed

The disk of a task is empty when it begins. What is brought has the times of the files that were taken, so that what has
not changed is known by its looks and not sent again.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from runners.kubeflow.root.deletion import Deletion, end_deletions
from runners.kubeflow.root.manifest import Manifest, to_bring, to_take
from runners.kubeflow.root.object_store import ObjectStore, Stat, object_store
from runners.kubeflow.root.transfers import transfer_all
from runners.kubeflow.root.unit_names import CLAIMS, MANIFESTS, claim_name, manifest_name, unit_of
from schemas.errors import RunError
from schemas.storage_error import storage_error


class SharedRoot:
    """A root in an object store, and the folder of this task that stands for it.

    Args:
        folder: output_dir, absolute.
        url: of the root.
    """

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url

    @property
    def store(self) -> ObjectStore:
        """The store, with connections of this process."""
        return object_store(self.url)

    def unit(self, path: str) -> str | None:
        """A path or URI as the root has it; None where it is not below output_dir."""
        if "://" in path or not Path(path).is_relative_to(self.folder):
            return None
        return Path(path).relative_to(self.folder).as_posix()

    def units(self, below: str) -> list[str]:
        """The whole folders below one."""
        return list(self.taken(below))

    def taken(self, below: str) -> dict[str, Stat]:
        """The whole folders below one, and what their manifests are: each was written when its folder was taken."""
        found = self.store.list(f"{MANIFESTS}/{below}/")
        return {unit_of(name): stat for name, stat in found.items()}

    def manifest(self, unit: str) -> Manifest | None:
        """What a folder holds; None where it is not whole."""
        text = self.store.get(manifest_name(unit))
        return None if text is None else Manifest.from_json(text)

    def objects(self, unit: str) -> dict[str, Stat]:
        """The objects of a folder, by their paths below it; of a file, that one, by the empty path."""
        if inside := self.store.list(f"{unit}/"):
            return {name[len(unit) + 1 :]: stat for name, stat in inside.items()}
        alone = self.store.list(unit).get(unit)
        return {} if alone is None else {"": alone}

    def is_whole(self, unit: str) -> bool:
        """Whether a folder is there, as it was taken."""
        kept = self.manifest(unit)
        return kept is not None and kept.is_whole(self.objects(unit))

    def is_altered(self, uri: str, looks: str) -> bool | None:
        """Whether an artifact is missing here or another one than was published; as `kept_elsewhere` asks for it."""
        unit = self.unit(uri)
        if unit is None:
            return None
        kept = self.manifest(unit)
        return kept is None or kept.looks != looks or not kept.is_whole(self.objects(unit))

    def bring(self, units: Iterable[str]) -> None:
        """Makes folders on the disk what they are in the root.

        Raises:
            RunError: one is not there, or the store or the disk does not do it.
        """
        transfers = []
        for unit in dict.fromkeys(units):
            kept = self.manifest(unit)
            if kept is None:
                raise RunError(
                    "What the task reads is not in the shared pipeline root.",
                    where=f"{self.url}/{unit}",
                    fix="Start a new run: what is missing is made anew. Nothing but the tasks may delete there.",
                )
            target = self.folder / unit
            if "" not in kept.files:
                target.mkdir(parents=True, exist_ok=True)
            for name in to_bring(kept, Manifest.of(target)):
                transfers.append(
                    partial(self._bring, _joined(unit, name), kept.files[name].tag, kept.files[name].mtime)
                )
        with self._disk():
            transfer_all(transfers)

    def bring_files(self, objects: Mapping[str, Stat]) -> None:
        """Brings single files, whole or not at all.

        Args:
            objects: by their paths below output_dir.
        """
        with self._disk():
            transfer_all([partial(self._bring, name, stat.tag, None) for name, stat in objects.items()])

    def take(self, units: Iterable[str], last: Sequence[str] = ()) -> None:
        """Makes folders in the root what they are on the disk; each counts when all of it is there.

        Files that the root has and the disk has not stay where they are, and belong to nothing.

        Args:
            units: the folders.
            last: names of files that follow when all others are there, in this order.

        Raises:
            RunError: the store or the disk does not do it.
        """
        with self._disk():
            here = {unit: Manifest.of(self.folder / unit) for unit in dict.fromkeys(units)}
            names = [
                _joined(unit, name)
                for unit, manifest in here.items()
                for name in to_take(manifest, self.manifest(unit), self.objects(unit))
            ]
            self._take_all([name for name in names if Path(name).name not in last])
            for late in last:
                self._take_all([name for name in names if Path(name).name == late])
        for unit, manifest in here.items():
            kept = manifest.tagged(self.objects(unit))
            if kept.files.keys() != manifest.files.keys():
                missing = sorted(manifest.files.keys() - kept.files.keys())
                raise RunError(
                    "The shared pipeline root does not have what was just written.",
                    where=f"{self.url}/{unit}",
                    received=", ".join(missing[:5]),
                    fix="See that nothing but the tasks deletes there, such as rules of the bucket, and that nothing "
                    "writes those files here any more. Then run the task again.",
                )
            self.store.put(manifest_name(unit), kept.to_json())

    def take_files(self, names: Iterable[str]) -> None:
        """Takes single files."""
        with self._disk():
            self._take_all(names)

    def forget(self, unit: str, first: Sequence[str] = (), seen: Stat | None = None) -> None:
        """Deletes a folder that this pipeline has taken. One that is killed meanwhile is ended by `end_forgetting`.

        One that was claimed, and whose taking was cut off before its manifest was there, goes as it is.

        Args:
            unit: the folder.
            first: names of files that make it visible to others, which go before everything else, in this order.
            seen: its manifest, of `taken`, by which it was decided: one that was taken since stays.
        """
        deletion = self._deletion(unit)
        if (deletion.manifest or deletion.claim) is None or (seen is not None and not seen.is_same(deletion.manifest)):
            return
        files = deletion.files[0]
        if deletion.manifest is not None:
            kept = self.manifest(unit)  # read after the listing: what was written in between is not as it is noted
            ours = set() if kept is None else {_joined(unit, name) for name in kept.files}
            files = {name: stat for name, stat in files.items() if name in ours}
        early = [name for each in first if (name := _joined(unit, each)) in files]
        late = {name: stat for name, stat in files.items() if name not in early}
        replace(deletion, files=[*({name: files[name]} for name in early), late]).begin(self.store)

    def forget_all(self, unit: str) -> None:
        """Deletes whatever is in a folder, and that it is one. One that is killed is ended as that of `forget`."""
        self._deletion(unit).begin(self.store)

    def end_forgetting(self) -> None:
        """Deletes what others had begun to: they were killed, or are still at it, and then it is done twice."""
        end_deletions(self.store)

    def _deletion(self, unit: str) -> Deletion:
        manifest, claim = (self.store.list(name).get(name) for name in (manifest_name(unit), claim_name(unit)))
        files = {_joined(unit, name): stat for name, stat in self.objects(unit).items()}
        return Deletion(unit, manifest, claim, [files])

    def claim(self, unit: str, run_id: str) -> bool:
        """Has the name of a folder for a run; False where another run has it."""
        name = claim_name(unit)
        return self.store.put(name, run_id.encode(), new=True) or self.store.get(name) == run_id.encode()

    def claims(self, below: str) -> list[str]:
        """The names below one that runs have."""
        return [name.removeprefix(f"{CLAIMS}/") for name in self.store.list(f"{CLAIMS}/{below}/")]

    def is_claimed_by(self, unit: str, run_id: str) -> bool:
        """Whether it is this run that has a name."""
        return self.store.get(claim_name(unit)) == run_id.encode()

    def _bring(self, name: str, tag: str, mtime: int | None) -> None:
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        partly = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
        try:
            self.store.download(name, tag, partly)
            if mtime is not None:
                os.utime(partly, ns=(mtime, mtime))
            if target.is_dir():  # an empty one that stood for it
                target.rmdir()
            partly.replace(target)
        finally:
            partly.unlink(missing_ok=True)

    def _take_all(self, names: Iterable[str]) -> None:
        store = self.store
        transfer_all([partial(store.upload, self.folder / name, name) for name in names])

    @contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise storage_error(error, self.folder) or RunError(
                "The task's folder cannot be read or written.",
                where=str(error.filename or self.folder),
                received=error.strerror or str(error),
                fix="It is output_dir, an emptyDir: its machine may be short of disk.",
            ) from error


def _joined(unit: str, name: str) -> str:
    return f"{unit}/{name}" if name else unit
