"""Texts that are no timestamp, so that Transform would silently take them for missing."""

from __future__ import annotations

from calendar import isleap
from typing import Any

import numpy as np
import pyarrow.compute as pc

from schemas.iso_8601 import ISO_8601

REASON = "not ISO 8601"
_NEVER = r"^\s*\d{4}-(?:02-3[01]|(?:04|06|09|11)-31)"
_LEAP_DAY = r"^\s*\d{4}-02-29"


def unreadable(texts: Any) -> dict[int, str]:
    """Why an Arrow array's strings (no nulls) cannot be read, by their index.

    >>> import pyarrow as pa
    >>> unreadable(pa.array(["2024-02-29", "2022-02-29", "2022-05-16 08:30+02:00", "16/05/2022"]))
    {1: 'not ISO 8601', 3: 'not ISO 8601'}
    """
    wrong = ~np.asarray(pc.match_substring_regex(texts, ISO_8601))
    wrong |= np.asarray(pc.match_substring_regex(texts, _NEVER))
    for index in np.flatnonzero(np.asarray(pc.match_substring_regex(texts, _LEAP_DAY))):
        wrong[index] |= not isleap(int(texts[int(index)].as_py().strip()[:4]))
    return dict.fromkeys(np.flatnonzero(wrong).tolist(), REASON)
