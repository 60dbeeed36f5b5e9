"""What people took, one after another, as the rows that a recommender learns from."""

from __future__ import annotations

import csv
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

COLUMNS = ("user", "recent_items", "item", "item_attributes", "interaction", "split")
_RECENT = 10
_SEED = 0


def write_interactions(target: Path, sequences: Mapping[str, Sequence[str]], attributes: Mapping[str, str]) -> None:
    """Writes interactions.csv: each interaction (1), and after it an item that the user never took (0).

    The last interaction of each user who has several is kept aside (split `eval`), all others are trained on (`train`).
    A row's `recent_items` are those that the user took before, the newest first, at most ten. The item never taken is
    drawn from all items with equal odds, the same at each call.

    Args:
        target: folder of the file.
        sequences: {user: items in the order of time}, each item once a user.
        attributes: {item: words that describe it}; an item may lack them.
    """
    items = sorted({item for taken in sequences.values() for item in taken})
    draw = random.Random(_SEED)
    with (target / "interactions.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for user, taken in sequences.items():
            own = set(taken)
            for place, item in enumerate(taken):
                recent = " ".join(taken[max(0, place - _RECENT) : place][::-1])
                split = "eval" if 0 < place == len(taken) - 1 else "train"
                writer.writerow((user, recent, item, attributes.get(item, ""), 1, split))
                if len(own) == len(items):
                    continue  # there is nothing that this user never took
                while (other := draw.choice(items)) in own:
                    pass
                writer.writerow((user, recent, other, attributes.get(other, ""), 0, split))
