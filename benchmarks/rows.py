"""Taxi rows in any number, made from the real sample.

`SAMPLE_ROWS` rows are the sample itself, byte for byte. Any other number is a bootstrap: with
`numpy.random.default_rng(seed)`, in blocks of 50,000 rows, each row is a row of the sample drawn with replacement,
and its amounts are moved a little so that nearly all rows are distinct, as they are in real data:

- `trip_start_timestamp`: a second drawn uniformly from the same hour, so that the month, day and hour columns stay
  true;
- `trip_miles` and `trip_seconds`: each times its own factor drawn uniformly from [0.95, 1.05], rounded to two
  decimals and to whole seconds; zero stays zero and missing stays missing;
- `fare` and `tips`: both times one factor drawn uniformly from [0.95, 1.05], rounded to cents; where the rounding
  would change the label (tips > 0.2 * fare, in float32) the row keeps its amounts;
- every other column stays as it is: its categories, coordinates and missing values keep their frequencies.

The same number of rows and the same seed give the same bytes. Only one block is in memory at a time. Copies of one
row of the sample fall into both splits, so metrics on such data say how two pipelines compare, not how good a model
is.
"""

from __future__ import annotations

import csv
import importlib.util
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt

from schemas.errors import DataError, SetupError

SAMPLE_ROWS = 15_002
"""Rows of the Chicago taxi sample that ships with TFX."""

_SAMPLE = "examples/chicago_taxi_pipeline/data/simple/data.csv"
_BLOCK = 50_000
_SPREAD = 0.05
_HOUR = 3600

_Floats = npt.NDArray[np.float64]
_Texts = npt.NDArray[np.object_]


def write_rows(destination: Path, rows: int, seed: int = 42) -> None:
    """Writes a CSV file with a header and so many rows; the module's docstring states how.

    Args:
        destination: file to write.
        rows: at least 1.
        seed: of the resampling; without effect for `SAMPLE_ROWS` rows.

    Raises:
        DataError: `rows` is less than 1.
        SetupError: TFX is not installed.
    """
    if rows < 1:
        raise DataError("There must be at least one row.", where="rows", received=rows, fix="Ask for 1 or more.")
    source = sample_path()
    if rows == SAMPLE_ROWS:
        shutil.copyfile(source, destination)
        return
    with source.open(newline="", encoding="utf-8") as file:
        header, *table = csv.reader(file)
    columns = {
        name: np.array(values, dtype=object) for name, values in zip(header, zip(*table, strict=True), strict=True)
    }
    generator = np.random.default_rng(seed)
    with destination.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for start in range(0, rows, _BLOCK):
            drawn = generator.integers(0, len(table), min(_BLOCK, rows - start))
            block = {name: values[drawn] for name, values in columns.items()}
            _move(block, generator)
            writer.writerows(zip(*(block[name] for name in header), strict=True))


def sample_path() -> Path:
    """The real sample, inside the installed TFX.

    Raises:
        SetupError: TFX is not installed.
    """
    found = importlib.util.find_spec("tfx")
    if found is None or not found.submodule_search_locations:
        raise SetupError("TFX, which brings the taxi sample, is not installed.", fix="make setup")
    return Path(found.submodule_search_locations[0]) / _SAMPLE


def _move(block: dict[str, _Texts], generator: np.random.Generator) -> None:
    """Moves the amounts of a block of rows, in place."""
    size = len(block["fare"])
    hour = block["trip_start_timestamp"].astype(np.int64) // _HOUR * _HOUR
    block["trip_start_timestamp"] = (hour + generator.integers(0, _HOUR, size)).astype(str).astype(object)

    block["trip_miles"] = _texts(_floats(block["trip_miles"]) * _factors(generator, size), ".2f")
    block["trip_seconds"] = _texts(_floats(block["trip_seconds"]) * _factors(generator, size), ".0f")

    fare, tips, factors = _floats(block["fare"]), _floats(block["tips"]), _factors(generator, size)
    new_fare, new_tips = np.round(fare * factors, 2), np.round(tips * factors, 2)
    same = _label(new_fare, new_tips) == _label(fare, tips)
    block["fare"] = np.where(same, _texts(new_fare, ".2f"), block["fare"])
    block["tips"] = np.where(same, _texts(new_tips, ".2f"), block["tips"])


def _factors(generator: np.random.Generator, size: int) -> _Floats:
    return generator.uniform(1 - _SPREAD, 1 + _SPREAD, size)


def _floats(texts: _Texts) -> _Floats:
    return np.where(texts == "", "nan", texts).astype(np.float64)


def _texts(values: _Floats, form: str) -> _Texts:
    return np.array(["" if np.isnan(value) else format(value, form) for value in values.tolist()], dtype=object)


def _label(fare: _Floats, tips: _Floats) -> npt.NDArray[np.bool_]:
    """The label as both pipelines compute it, in float32."""
    return tips.astype(np.float32) > np.float32(0.2) * fare.astype(np.float32)
