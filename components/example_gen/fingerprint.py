"""What the execution cache knows of the input files: changed content changes it, a copied or touched file does not.

TFX's own fingerprint is made of sizes and whole-second modification times, so it misses a file that is rewritten with
the same size within a second, and sees a change in one that is merely copied. Here the content decides, up to a size
at which reading it twice would be felt; above that, size, modification time in nanoseconds, and the content of both
ends. Of a remote file its store tells what differs when the content does: ETag, generation or modification time.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence

from components.example_gen.data_files import entry_of, is_remote

WHOLE_BYTES = 256 << 20
"""Files up to this size are hashed whole."""
_END_BYTES = 1 << 20
_READ_BYTES = 1 << 20


def fingerprint(files: Sequence[str]) -> str:
    """One line of text, equal for equal names and contents, in the order of the files."""
    total = 0
    combined = hashlib.sha256()
    for path in files:
        if is_remote(path):
            entry = entry_of(path)
            size, digest = entry.size or 0, entry.tag
        else:
            size = os.path.getsize(path)
            digest = _digest(path, size)
        total += size
        combined.update(f"{os.path.basename(path)}\0{size}\0{digest}\n".encode())
    return f"files:{len(files)},bytes:{total},sha256:{combined.hexdigest()}"


def _digest(path: str, size: int) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        if size <= WHOLE_BYTES:
            while chunk := file.read(_READ_BYTES):
                digest.update(chunk)
            return digest.hexdigest()
        digest.update(file.read(_END_BYTES))
        file.seek(-_END_BYTES, os.SEEK_END)
        digest.update(file.read(_END_BYTES))
    return f"{digest.hexdigest()} {os.stat(path).st_mtime_ns}"
