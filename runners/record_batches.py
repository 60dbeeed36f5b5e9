"""How many records TFX's readers put into one batch."""

from __future__ import annotations

import importlib

from absl import flags

_FLAG = "tfxio_use_byte_size_batching"


def batch_by_size() -> None:
    """Makes TFX's readers in this process build batches of 20 MiB or 8,192 records, whichever is less.

    By default they search for the fastest size with a clock, starting from one record: thousands of rows go by before
    batches are large, and the sums over batches, hence the last digits of statistics, depend on how fast the machine
    was. The flag is tfx_bsl's own; it is absl's default that is set, because nothing parses absl's flags here.
    """
    importlib.import_module("tfx_bsl.coders.batch_util")  # defines the flag
    if _FLAG in flags.FLAGS:
        flags.FLAGS.set_default(_FLAG, True)
