"""`models.config`: what model servers are to load and how it is labelled, beside the folders of the models.

It is a ModelServerConfig in protobuf's text format, which TensorFlow Serving reads with --model_config_file. It holds
the models of all folders beside it, and the entry of one model is changed without touching the others.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from google.protobuf import text_format
from tensorflow_serving.config.model_server_config_pb2 import ModelConfig, ModelServerConfig

from schemas.errors import ReleaseError
from serving.saved_model import sync_directory

FILE_NAME = "models.config"
_STAGING = f".{FILE_NAME}-"
_PLATFORM = "tensorflow"
_HEADER = """\
# Written by `scalable-tf release`, which changes one model's entry at a time. A label and the version that is loaded
# for it belong together: use the command, or change both.
"""


class ServedModels:
    """The file.

    Args:
        root: folder of all released models.
    """

    def __init__(self, root: Path) -> None:
        self.path = root / FILE_NAME

    def text(self) -> str | None:
        """What is in the file; None: there is none.

        Raises:
            ReleaseError: it cannot be read.
        """
        try:
            return self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise _unreadable(str(self.path), error) from error

    def config(self) -> ModelServerConfig:
        """The config in the file; an empty one where there is no file.

        Raises:
            ReleaseError: it cannot be read, is no config, or names a model twice.
        """
        return _parsed(self.text() or "", str(self.path))

    def write(self, config: ModelServerConfig) -> None:
        """Replaces the file by one rename, when every byte is on the disk. The caller holds the folder's lock.

        Raises:
            OSError: it cannot be written; the file is what it was.
        """
        self.write_text(_header(self.text()) + text_format.MessageToString(config))

    def write_text(self, text: str | None) -> None:
        """Replaces the file by the text, or removes it for None; see `write`."""
        folder = self.path.parent
        for left in folder.glob(f"{_STAGING}*"):  # by a process that was killed
            left.unlink()
        if text is None:
            self.path.unlink(missing_ok=True)
        else:
            staging = folder / f"{_STAGING}{secrets.token_hex(8)}"
            try:
                with staging.open("x", encoding="utf-8") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                staging.replace(self.path)
            finally:
                staging.unlink(missing_ok=True)
        sync_directory(folder)


def config_of(content: bytes, where: str) -> ModelServerConfig:
    """The config in what such a file holds.

    Raises:
        ReleaseError: it is no config, or names a model twice.
    """
    try:
        return _parsed(content.decode(), where)
    except UnicodeDecodeError as error:
        raise _unreadable(where, error) from error


def entry_of(config: ModelServerConfig, model: str) -> ModelConfig | None:
    """The model's entry, or None."""
    return next((entry for entry in config.model_config_list.config if entry.name == model), None)


def entry_beside(folder: Path, model: str) -> ModelConfig | None:
    """What the models.config beside a model's folder says of it; None: nothing, or there is none.

    Raises:
        ReleaseError: it cannot be read.
    """
    return entry_of(ServedModels(folder.parent).config(), model)


def labels_of(config: ModelServerConfig, model: str) -> dict[str, int]:
    """The model's labels and their versions."""
    entry = entry_of(config, model)
    return {} if entry is None else dict(sorted(entry.version_labels.items()))


def loaded_versions(config: ModelServerConfig, model: str, there: Collection[int]) -> set[int]:
    """The versions that a server loads by the config, of those that are there.

    Without an entry this is the newest, which servers load by default.
    """
    entry = entry_of(config, model)
    policy = None if entry is None else entry.model_version_policy
    kind = None if policy is None else policy.WhichOneof("policy_choice")
    if policy is not None and kind == "specific":
        return set(policy.specific.versions) & set(there)
    if kind == "all":
        return set(there)
    return set(sorted(there)[-(policy.latest.num_versions or 1 if policy is not None else 1) :])


def protected_versions(config: ModelServerConfig, model: str) -> set[int]:
    """The versions that the config names: labelled, or to be loaded whatever else there is."""
    entry = entry_of(config, model)
    if entry is None:
        return set()
    return {*entry.version_labels.values(), *entry.model_version_policy.specific.versions}


def with_model(
    config: ModelServerConfig,
    model: str,
    base_path: str,
    *,
    labels: Mapping[str, int],
    versions: Iterable[int] | None,
) -> ModelServerConfig:
    """The config with other labels and versions of one model.

    Args:
        config: stays as it is.
        model: its entry is added where there is none.
        base_path: the model's folder, as servers see it.
        labels: of the model.
        versions: to load; None: the newest, whichever that is.
    """
    changed = ModelServerConfig()
    changed.CopyFrom(config)
    entry = entry_of(changed, model)
    if entry is None:
        entry = changed.model_config_list.config.add(name=model, model_platform=_PLATFORM)
    entry.base_path = base_path
    entry.ClearField("version_labels")
    entry.version_labels.update(labels)
    entry.ClearField("model_version_policy")
    if versions is not None:
        entry.model_version_policy.specific.versions.extend(sorted(versions))
    return changed


def _parsed(text: str, where: str) -> ModelServerConfig:
    try:
        config = text_format.Parse(text, ModelServerConfig())
    except text_format.ParseError as error:
        raise _unreadable(where, error) from error
    names = [entry.name for entry in config.model_config_list.config]
    if config.WhichOneof("config") == "custom_model_config" or len(set(names)) != len(names):
        raise _unreadable(where, "a custom_model_config" if len(set(names)) == len(names) else "a model twice")
    return config


def _unreadable(where: str, received: object) -> ReleaseError:
    return ReleaseError(
        "The file that says what model servers load cannot be read.",
        where=where,
        received=received,
        fix="It must be a ModelServerConfig in text format with a model_config_list that names each model once. "
        "Mend it, or move it away: `scalable-tf release promote` then writes a new one.",
    )


def _header(text: str | None) -> str:
    """The comments at the beginning, which protobuf does not keep."""
    if text is None:
        return _HEADER
    lines = text.splitlines(keepends=True)
    count = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return "".join(lines[:count])
