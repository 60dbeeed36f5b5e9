"""Batches whose size does not depend on the machine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from absl import flags

_BATCHES_BY_SIZE = "tfxio_use_byte_size_batching"


@contextlib.contextmanager
def batches_of_a_fixed_size() -> Iterator[None]:
    """While the Beam pipeline is made, TFXIO sizes batches by bytes instead of by how fast the machine happens to be.

    The last bits of a prediction depend on the batch it is in, and equal runs must give equal metrics.
    """
    if _BATCHES_BY_SIZE not in flags.FLAGS:
        yield
        return
    flag = flags.FLAGS[_BATCHES_BY_SIZE]
    before, was_parsed = flag.value, flags.FLAGS.is_parsed()
    # TFXIO reads the value only in a process that has parsed its flags.
    flags.FLAGS.mark_as_parsed()
    flag.value = True
    try:
        yield
    finally:
        flag.value = before
        if not was_parsed:
            flags.FLAGS.unparse_flags()
