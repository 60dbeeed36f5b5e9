"""Which split a row belongs to: decided by its bytes alone, exactly as stock ExampleGen decides it.

bucket = SHA-256 of the deterministically serialized example, as a number, modulo the sum of all hash buckets; the
splits take the buckets in their order (tfx/components/example_gen/base_example_gen_executor.py). So equal rows are
always in one split, and the split of a row does not depend on the rows around it, the number of files or workers, or
the moment.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence


def assign_splits(examples: Iterable[bytes], buckets: Sequence[int]) -> list[int]:
    """The index of each example's split.

    Args:
        examples: serialized examples.
        buckets: hash buckets of each split: (2, 1) gives two thirds and one third.
    """
    owner = [split for split, size in enumerate(buckets) for _ in range(size)]
    total = len(owner)
    sha256 = hashlib.sha256
    return [owner[int.from_bytes(sha256(example).digest(), "big") % total] for example in examples]
