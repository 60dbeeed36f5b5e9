"""Models that a server has beside those of models.config: it unloads whatever the config that it is told lacks.

ModelService cannot list what a server has, but tells the state of a model by its name: so names are tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from google.protobuf import text_format
from tensorflow_serving.config.model_server_config_pb2 import ModelConfig, ModelServerConfig

from schemas.errors import ReleaseError, SettingsError
from serving.served_models import entry_beside, entry_of
from serving.server.version_policy import version_directories

if TYPE_CHECKING:
    from serving.remote_server import RemoteServer


def kept_models(options: Iterable[str], *, checked: bool = True) -> ModelServerConfig:
    """The models that servers are to keep.

    Args:
        options: each NAME=DIR, or a file with a ModelServerConfig as protocol buffer text. A model that is released in
            DIR has the labels and versions that models.config beside it says, any other its newest version.
        checked: whether folders that are here and empty are refused.

    Raises:
        SettingsError: one is neither, or its folder is here and has no version.
        ReleaseError: a models.config beside a DIR cannot be read.
    """
    found = ModelServerConfig()
    for option in options:
        name, equals, folder = option.partition("=")
        if not equals:
            entries = list(_read(Path(option)).model_config_list.config)
        elif name and folder and "/" not in name:
            entries = [_in_folder(name, folder)]
        else:
            raise _wrong(option, "no NAME=DIR")
        for entry in entries:
            if entry_of(found, entry.name) is not None:
                raise _wrong(option, f"{entry.name} is named twice")
            added = found.model_config_list.config.add()
            added.CopyFrom(entry)
            if "://" not in entry.base_path:
                added.base_path = str(Path(entry.base_path).absolute())
                if checked:
                    _check_folder(option, entry.name, Path(added.base_path))
    return found


def with_kept(config: ModelServerConfig, kept: ModelServerConfig | None) -> ModelServerConfig:
    """The config with further models; those that it has stay as they are."""
    found = ModelServerConfig()
    found.CopyFrom(config)
    for entry in kept.model_config_list.config if kept is not None else ():
        if entry_of(config, entry.name) is None:
            found.model_config_list.config.add().CopyFrom(entry)
    return found


def neighbours(root: Path) -> dict[str, Path]:
    """Folders of the models that are released beside these, by name: in the same folder, or for other pipelines.

    Args:
        root: folder of all released models, `<output_dir>/releases`.
    """
    folders = [*sorted(root.parent.parent.glob(f"*/{root.name}")), root]
    return {path.name: path for folder in folders for path in sorted(folder.glob("[A-Za-z0-9]*")) if path.is_dir()}


def refuse_unloading(
    servers: Iterable[RemoteServer], config: ModelServerConfig, names: Mapping[str, Path | None]
) -> None:
    """Checks that servers have none of the models that the config lacks.

    Args:
        servers: to be told.
        config: that they would be told, of at least one model, without what they keep.
        names: of models that they may have, with the folder where it is known.

    Raises:
        ReleaseError: one has, or does not answer.
    """
    for server in servers:
        told = [entry.name for entry in with_kept(config, server.keep).model_config_list.config]
        server.serves(told[0])  # one that does not answer is told with the name of a model that is meant
        lost = [name for name in sorted(set(names) - set(told)) if server.serves(name)]
        if lost:
            known = " ".join(f"--keep {name}={names[name] or 'DIR'}" for name in lost)
            raise ReleaseError(
                f"A model server has other models, too, and would unload them: {', '.join(lost)}.",
                where=server.address,
                received=f"a config with {', '.join(told)} and nothing else",
                fix=f"Name what it is to keep: {known}, with folders as the server sees them; or --keep FILE, the "
                "config that it was started with. Or let the models go: --unload-others.",
            )


def _in_folder(name: str, folder: str) -> ModelConfig:
    """Without its labels the clients that ask for them would be refused, and others get what was never promoted."""
    found = ModelConfig()
    if (known := entry_beside(Path(folder), name)) is not None:
        found.CopyFrom(known)
    found.name, found.base_path = name, folder
    return found


def _check_folder(option: str, name: str, folder: Path) -> None:
    """A server that is told a folder without versions unloads what it had of the model, before it tells of an error.

    Where the folder is none here, servers may see it all the same.
    """
    try:
        empty = folder.is_dir() and not version_directories(folder)
    except OSError:
        return
    if empty:
        inside = folder / name
        hint = f"; or is it {inside}?" if inside.is_dir() else ""
        raise _wrong(option, f"no version of {name}, a directory named by a number, is in {folder}{hint}")


def _read(path: Path) -> ModelServerConfig:
    try:
        config = text_format.Parse(path.read_text(encoding="utf-8"), ModelServerConfig())
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise _wrong(str(path), str(error)) from error
    if not config.model_config_list.config or any(
        not entry.name or not entry.base_path for entry in config.model_config_list.config
    ):
        raise _wrong(str(path), "no list of models, each with name and base_path")
    return config


def _wrong(option: str, why: str) -> SettingsError:
    return SettingsError(
        "This names no models to keep.",
        where="--keep",
        received=f"{option}: {why}",
        fix="Give NAME=DIR, as `scalable-tf serve --model`, or a file with the ModelServerConfig that servers were "
        "started with.",
    )
