"""What 35,598 people bought and reviewed among Amazon's sports and outdoor goods, in the order of time.

The reviews of 2014 (https://jmcauley.ucsd.edu/data/amazon), as S3-Rec gathered them
(https://github.com/RUCAIBox/CIKM2020-S3Rec): people and goods with at least five reviews, as numbers.
"""

from __future__ import annotations

import json
from pathlib import Path

from components.public_data.interactions import write_interactions
from components.public_data.source_text import source_text
from schemas.errors import DataError

SEQUENCES = "Sports_and_Outdoors.txt"
ATTRIBUTES = "Sports_and_Outdoors_item2attributes.json"


def prepare(source: Path, target: Path) -> None:
    """It is the folder recsys_sequences with S3-Rec's Sports_and_Outdoors files, plain or gzipped.

    Writes interactions.csv, see `components.public_data.interactions`; an item's attributes are the numbers of its
    categories and of its brand.

    Args:
        source: the folder with the two files.
        target: an empty folder.

    Raises:
        DataError: a file is missing or damaged, or a line is not what it should be.
    """
    sequences: dict[str, list[str]] = {}
    for number, line in enumerate(source_text(source, SEQUENCES).splitlines(), 1):
        user, *items = line.split() or [""]
        if not items or not all(word.isdecimal() for word in (user, *items)) or user in sequences:
            raise DataError(
                "A line is not a user and the items that he took, all as numbers.",
                where=f"{SEQUENCES}, line {number}",
                received=line[:200],
                fix="Fetch the file anew.",
            )
        sequences[user] = items
    write_interactions(target, sequences, _attributes(source_text(source, ATTRIBUTES)))


def _attributes(text: str) -> dict[str, str]:
    try:
        return {item: " ".join(str(int(number)) for number in numbers) for item, numbers in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise DataError(
            "The attributes of the items are not JSON of lists of numbers, by item.",
            where=ATTRIBUTES,
            received=error,
            fix="Fetch the file anew.",
        ) from error
