"""The text of a file of a public data set, which may lie there gzipped."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from components.example_gen.files import whats_there
from schemas.errors import DataError


def source_text(folder: Path, name: str) -> str:
    """What the file, or the one with .gz behind its name, holds.

    Args:
        folder: the data set's folder.
        name: name of the file.

    Raises:
        DataError: neither is there, or it is damaged or not UTF-8.
    """
    path = next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)
    if path is None:
        raise DataError(
            "A file of the data set is missing.",
            where="data.path",
            received=f"{folder} without {name} and {name}.gz",
            fix=f"Set data.path to the folder that holds it; {whats_there(str(folder))}",
        )
    data = path.read_bytes()
    try:
        if path.suffix == ".gz":
            data = gzip.decompress(data)
        return data.decode()
    except (EOFError, zlib.error, gzip.BadGzipFile, UnicodeDecodeError) as error:
        raise DataError(
            "A file of the data set is damaged.",
            where=str(path),
            received=error,
            fix="Fetch it anew; gzip -t FILE checks a gzip file.",
        ) from error
