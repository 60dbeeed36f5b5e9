"""The releases in the shared root: their records, which of them have labels, and the numbers that runs have claimed.

The models stay where they are: a release is published, recognised and retired by its record.
"""

from __future__ import annotations

from pathlib import Path

from runners.kubeflow.root.shared_root import SharedRoot
from schemas.errors import ReleaseError
from serving import audit_log
from serving.release import FILE_NAME as RELEASE_FILE
from serving.served_models import FILE_NAME as SERVED_FILE
from serving.served_models import ServedModels, protected_versions

_FOLDER = "releases"
_MODEL_FILE = "saved_model.pb"


class ReleaseFiles:
    """The folders in `releases/`.

    Args:
        root: where they are kept.
        run_id: the run, which has its versions to itself.
    """

    def __init__(self, root: SharedRoot, run_id: str) -> None:
        self._root = root
        self._run_id = run_id
        self._brought: set[str] = set()

    def prepare(self) -> None:
        """Brings the record of each release and what says which are served, and keeps numbers free that others have."""
        objects = self._root.store.list(f"{_FOLDER}/")
        self._root.bring_files({name: stat for name, stat in objects.items() if _is_record(name) or _is_served(name)})
        self._brought = {name.removesuffix(f"/{RELEASE_FILE}") for name in objects if _is_record(name)}
        begun = {"/".join(name.split("/")[:3]) for name in objects if name.count("/") > 2}
        claimed = set(self._root.claims(_FOLDER))
        for unit in (begun | claimed) - self._brought:
            # Ours are of an attempt before this one, and are released anew.
            if not (unit in claimed and self._root.is_claimed_by(unit, self._run_id)):
                (self._root.folder / unit).mkdir(parents=True, exist_ok=True)

    def take(self) -> None:
        """Takes what was released, and retires there what was retired here.

        Raises:
            ReleaseError: another run has the number.
        """
        folder = self._root.folder / _FOLDER
        here = {f"{_FOLDER}/{file.parent.relative_to(folder).as_posix()}" for file in _records(folder)}
        for unit in sorted(here - self._brought):
            if not self._root.claim(unit, self._run_id):
                raise ReleaseError(
                    "Another run is releasing this version.",
                    where=f"{self._root.url}/{unit}",
                    fix="Run the task again: the model is released as the next version.",
                )
            self._root.take([unit], last=(_MODEL_FILE, RELEASE_FILE))
        if retired := sorted(self._brought - here):
            served = self._served()
            for unit in retired:
                if unit not in served:
                    self._root.forget(unit, first=(RELEASE_FILE, _MODEL_FILE))

    def _served(self) -> set[str]:
        """The versions that are to be served by now: a label may have been given while the task was at work."""
        objects = self._root.store.list(f"{_FOLDER}/{SERVED_FILE}")
        self._root.bring_files({name: stat for name, stat in objects.items() if _is_served(name)})
        config = ServedModels(self._root.folder / _FOLDER).config()
        names = [entry.name for entry in config.model_config_list.config]
        return {f"{_FOLDER}/{name}/{version}" for name in names for version in protected_versions(config, name)}


def _records(folder: Path) -> list[Path]:
    return [file for file in folder.glob(f"*/*/{RELEASE_FILE}") if not file.parent.name.startswith(".")]


def _is_record(name: str) -> bool:
    return name.count("/") == 3 and name.endswith(f"/{RELEASE_FILE}")


def _is_served(name: str) -> bool:
    return name == f"{_FOLDER}/{SERVED_FILE}" or (name.count("/") == 2 and name.endswith(f"/{audit_log.FILE_NAME}"))
