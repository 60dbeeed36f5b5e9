"""The files that a remote path stands for, and an error that helps where there are none; as `files` for local ones."""

from __future__ import annotations

from difflib import get_close_matches

from components.example_gen.formats import FORMATS, SUFFIXES, shown_suffixes
from components.example_gen.glob_pattern import WILD
from components.example_gen.remote_store import fixed_part, store_of
from configs.data import Source
from schemas.errors import DataError


def list_remote_files(path: str, source: Source) -> tuple[str, ...]:
    """The files that a path stands for, sorted by name.

    Args:
        path: a file, a folder (every file directly in it whose suffix is the format's), or a glob (** crosses folders).
        source: the format.

    Raises:
        DataError: there are none, or the store cannot or will not answer.
    """
    store = store_of(path)
    if not path.endswith("/") and store.entry(path) is not None:
        return (path,)
    if WILD.search(path):
        files = [entry.path for entry in store.find(path) if entry.size is not None]
        if not files:
            base = fixed_part(path).rpartition("/")[0]
            raise DataError(
                "No file matches the pattern of the data.",
                where="data.path",
                received=path,
                fix=f"Check the pattern; {whats_there_remotely(base)}",
            )
        return tuple(files)
    folder = path.rstrip("/")
    there = store.find(f"{folder}/*")
    if not there:
        raise _missing(folder)
    files = [entry.path for entry in there if entry.size is not None and _is_data(entry.path, source)]
    if not files:
        raise DataError(
            f"The folder of the data holds no {FORMATS[source]} file.",
            where="data.path",
            received=path,
            fix=f"Put {shown_suffixes(source)} files there, or name a file or a glob; {whats_there_remotely(folder)}",
        )
    return tuple(files)


def whats_there_remotely(folder: str) -> str:
    """What a remote folder holds: for messages."""
    names = _names(folder)
    if not names:
        return f"{folder} is empty."
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{folder} holds {', '.join(names[:5])}{more}."


def _missing(path: str) -> DataError:
    folder, _, name = path.rpartition("/")
    if folder.endswith("/"):  # the path is a bucket or a host
        return DataError("The bucket of the data is empty.", where="data.path", received=path, fix="Put data there.")
    near = get_close_matches(name, _names(folder), n=1)
    hint = f"Did you mean {folder}/{near[0]}?" if near else f"Check data.path; {whats_there_remotely(folder)}"
    return DataError("There is no such file.", where="data.path", received=path, fix=hint)


def _names(folder: str) -> list[str]:
    return [entry.path.rpartition("/")[2] for entry in store_of(folder).find(f"{folder}/*")]


def _is_data(path: str, source: Source) -> bool:
    name = path.rpartition("/")[2]
    return name.lower().endswith(SUFFIXES[source]) and not name.startswith(".")
