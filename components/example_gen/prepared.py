"""Data in a form of its own, turned into files that ExampleGen reads: once, by the function that `data.prepare` names.

Any function of this signature will do, in a package of the user's as in `components.public_data`:

    def prepare(source: Path, target: Path) -> None:
        '''One line that says what it reads; it is shown when nothing is there.'''

`source` is `data.path`, a file or a folder (with {SPAN} or a date, that of the span). `target` is an empty folder, into
which the function writes files of `data.source`. It is called again only when a file of the source or the code of the
function's package changes, or when a file that it wrote is no longer what it was. What it wrote is taken only when it
has returned: a process that is killed on the way leaves nothing that could be mistaken for the whole.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import json
import os
from collections.abc import Callable
from pathlib import Path

from components.example_gen.files import list_files
from components.example_gen.fingerprint import fingerprint
from components.example_gen.formats import FORMATS, shown_suffixes
from components.example_gen.kept_folder import alone, is_whole, keep, staging
from configs.data import Source
from configs.fingerprint import code_fingerprint
from schemas.errors import DataError, ScalableTFError, SettingsError

Prepare = Callable[[Path, Path], None]

PUBLIC = "components.public_data"
_DIGITS = 32


def prepared(source: Path, function: str, folder: Path, written: Source = "csv") -> Path:
    """The folder with what the function makes of the source; made now, or found as an earlier call left it.

    Args:
        source: a file or a folder.
        function: dotted path of a `Prepare` function.
        folder: where prepared folders are kept, each named by a digest of its source and of the function's code.
        written: the format in which it writes.

    Raises:
        DataError: the source is not there, is not what the function reads, or changes meanwhile; or the folder cannot
            be written. Nothing that a later call would find is left behind then.
        SettingsError: the function cannot be imported.
    """
    call = _load(function)
    if not source.exists():
        raise _absent(source, function, call)
    try:
        key = _digest(source, function)
        target = folder / key
        if not is_whole(target, written):
            with alone(folder):
                if not is_whole(target, written):  # another process may have made it meanwhile
                    _make(source, function, call, target, written)
    except OSError as error:
        raise DataError(
            f"The data cannot be prepared: {error.strerror or error}.",
            where=str(error.filename or folder),
            received=source,
            fix=f"Check who may read the data and write to {folder}, and the free space there.",
        ) from error
    return target


def prepare_code(function: str) -> str:
    """Fingerprint of the code that decides what the function makes: its package, as a whole."""
    package = PUBLIC if function.startswith(f"{PUBLIC}.") else function.split(".")[0]
    return code_fingerprint([package])


def _make(source: Path, function: str, call: Prepare, target: Path, written: Source) -> None:
    with staging(target.parent) as staged:
        try:
            call(source, staged)
        except (ScalableTFError, OSError):
            raise
        except Exception as error:  # whatever a user's function raises
            raise DataError(
                f"The function that prepares the data failed: {type(error).__name__}: {error}",
                where=function,
                received=source,
                fix=f"Check that the data is what it reads. {_purpose(call)} The traceback is in the node's log.",
            ) from error
        try:
            files = list_files(str(staged), written)
        except DataError as error:
            raise DataError(
                f"The function that prepares the data wrote no {FORMATS[written]} file.",
                where=function,
                received=", ".join(sorted(os.listdir(staged))) or "nothing",
                fix=f"Write {shown_suffixes(written)} files directly into the folder that is its second argument.",
            ) from error
        if _digest(source, function) != target.name:
            raise DataError(
                "The data changed while it was prepared.",
                where=str(source),
                fix="Run again when the files are complete; writers should rename finished files into place.",
            )
        keep(staged, target, files)


def _digest(source: Path, function: str) -> str:
    files = sorted(path for path in source.rglob("*") if path.is_file()) if source.is_dir() else [source]
    content = [[path.relative_to(source.parent).as_posix(), fingerprint([str(path)])] for path in files]
    text = json.dumps([function, prepare_code(function), content])
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def _load(function: str) -> Prepare:
    module, _, name = function.rpartition(".")
    try:
        call: Prepare = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise SettingsError(
            f"The function that prepares the data cannot be imported: {error}.",
            where="data.prepare",
            received=function,
            fix="Install its package where this node runs, or add its folder to PYTHONPATH.",
        ) from error
    return call


def _absent(source: Path, function: str, call: Prepare) -> DataError:
    hint = " The shipped settings look in the folder that the environment variable STF_DATA names: set it."
    return DataError(
        "The data set is not there.",
        where="data.path",
        received=source,
        fix=f"Set data.path to it. {_purpose(call)}{hint if function.startswith(f'{PUBLIC}.') else ''}",
    )


def _purpose(call: Prepare) -> str:
    return (inspect.getdoc(call) or "").partition("\n\n")[0].replace("\n", " ")
