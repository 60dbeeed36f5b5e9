"""How many processors this process may use."""

from __future__ import annotations

import math
import os
from pathlib import Path

_QUOTA = Path("/sys/fs/cgroup/cpu.max")  # https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files


def processors(quota: Path = _QUOTA) -> int:
    """Those of its affinity, or fewer where its control group (a container's limit) allows less time.

    Args:
        quota: the control group's file: microseconds and period, or `max` and period.
    """
    own = len(os.sched_getaffinity(0))
    try:
        allowed, period = quota.read_text(encoding="ascii").split()
        return max(1, min(own, math.ceil(int(allowed) / int(period))))
    except (OSError, ValueError):  # no control groups of version 2, or no limit
        return own
