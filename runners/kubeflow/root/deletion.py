"""What is being deleted in a shared root: a folder as it was when that was decided, and nothing written since."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from runners.kubeflow.root.object_store import ObjectStore, Stat
from runners.kubeflow.root.unit_names import DELETED, claim_name, deletion_name, manifest_name

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Deletion:
    """A deletion, as it is written down before it begins, so that whoever comes next can end it.

    A process that hangs between reading and deleting must not delete what was made anew meanwhile, so each object goes
    only as it was noted. Where the store itself compares, Google's the generation and Amazon's the ETag, that holds to
    the last moment. Others, such as MinIO, delete whatever has the name: there it holds until the listing before.

    Attributes:
        unit: the folder.
        manifest: what its manifest was; None where it had none.
        claim: what the claim of a run on its name was; None where there was none.
        files: the objects by their names; those that are listed together go in any order.
    """

    unit: str
    manifest: Stat | None
    claim: Stat | None
    files: Sequence[Mapping[str, Stat]]

    @classmethod
    def from_json(cls, text: bytes) -> Deletion:
        """The inverse of `to_json`.

        Raises:
            ValueError: the text is none of those.
        """
        try:
            noted = json.loads(text)
            return cls(
                noted["unit"],
                noted["manifest"] and Stat(**noted["manifest"]),
                noted["claim"] and Stat(**noted["claim"]),
                [{name: Stat(**stat) for name, stat in together.items()} for together in noted["files"]],
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(str(error)) from error

    def to_json(self) -> bytes:
        """As it is written down."""
        return json.dumps(asdict(self)).encode()

    def begin(self, store: ObjectStore) -> None:
        """Writes it down, and deletes.

        Args:
            store: of the root.
        """
        text = self.to_json()
        store.put(deletion_name(self.unit), text)
        self.end(store, text)

    def end(self, store: ObjectStore, text: bytes) -> None:
        """Deletes what is still as it was noted; nothing where the folder is whole again.

        Args:
            store: of the root.
            text: as it was written down.
        """
        manifest, claim, note = manifest_name(self.unit), claim_name(self.unit), deletion_name(self.unit)
        found = store.list(manifest).get(manifest)
        if found is None or found.is_same(self.manifest):
            _delete(store, manifest, {} if self.manifest is None else {manifest: self.manifest})
            for together in self.files:
                _delete(store, self.unit if self.unit in together else f"{self.unit}/", together)
            _delete(store, claim, {} if self.claim is None else {claim: self.claim})
        if store.get(note) == text:  # and not that of a deletion after this one
            store.delete([note])


def end_deletions(store: ObjectStore) -> None:
    """Ends those that were written down.

    A note of another version, which may have named files without their tags, is dropped: every task reads the notes,
    and none of them would begin any more.

    Args:
        store: of the root.
    """
    for note in store.list(f"{DELETED}/"):
        if (text := store.get(note)) is None:
            continue
        try:
            deletion = Deletion.from_json(text)
        except ValueError:
            _LOG.warning("%s cannot be read and is dropped: what is left of that folder is not deleted.", note)
            store.delete([note])
        else:
            deletion.end(store, text)


def _delete(store: ObjectStore, prefix: str, noted: Mapping[str, Stat]) -> None:
    if noted:
        there = store.list(prefix)
        store.delete_same({name: stat for name, stat in there.items() if stat.is_same(noted.get(name))})
