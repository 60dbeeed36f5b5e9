"""What combiners made of datasets, kept for later runs: of a window over spans only the new ones are analysed.

The cache is an artifact of the type that TFX's Transform has for it, a folder with a file for each dataset. A file's
name is a digest of all that decides what is in it: the preprocessing function, its configuration and its code, the
schema, the stack, and the dataset's files.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
from collections.abc import Sequence

import tensorflow as tf

from components.transform.statistics_job import Accumulators

_ENDING = ".accumulators"


class AnalyzerCache:
    """Accumulators by the digest of what decides them.

    Args:
        read: folders of earlier caches.
        write: folder of the new cache, which gets all that was asked for or put; None: nothing is kept.
        identity: texts that decide what a dataset gives, beside its files.
    """

    def __init__(self, read: Sequence[str], write: str | None, identity: Sequence[str]) -> None:
        self._read, self._write, self._identity = list(read), write, list(identity)

    def get(self, files: Sequence[str]) -> Accumulators | None:
        """Those of a dataset, if an earlier cache has them.

        Args:
            files: of the dataset; where and how large they are, and when they were written, tells them from others.
        """
        name = self._name(files)
        for folder in self._read:
            path = os.path.join(folder, name)
            if tf.io.gfile.exists(path):
                with tf.io.gfile.GFile(path, "rb") as file:
                    data = file.read()
                self._keep(name, data)
                found: Accumulators = pickle.loads(data)
                return found
        return None

    def put(self, files: Sequence[str], accumulators: Accumulators) -> None:
        """Keeps those of a dataset."""
        self._keep(self._name(files), pickle.dumps(accumulators))

    def _keep(self, name: str, data: bytes) -> None:
        if self._write is not None:
            tf.io.gfile.makedirs(self._write)
            with tf.io.gfile.GFile(os.path.join(self._write, name), "wb") as file:
                file.write(data)

    def _name(self, files: Sequence[str]) -> str:
        stats = [(path, (stat := os.stat(path)).st_size, stat.st_mtime_ns) for path in files]
        return hashlib.sha256(json.dumps([self._identity, stats]).encode()).hexdigest() + _ENDING
