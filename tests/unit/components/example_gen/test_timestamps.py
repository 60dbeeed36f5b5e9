from __future__ import annotations

import pyarrow as pa
import pytest
import tensorflow as tf

from components.example_gen.timestamps import unreadable
from transforms.calendar import parsed

READABLE = [
    *("2022-05-16", " 2022-05-16 ", "2022-05-16T08:30", "2022-05-16 08:30:00.25Z", "2022-05-16T08:30:00+02:00"),
    *("2024-02-29", "0000-02-29", "2000-02-29", "2022-05-31", "2022-05-16t08:30-0530"),
]
UNREADABLE = [
    *("16/05/2022", "2022-5-16", "soon", " ", "1652659200", "2022-13-01", "2022-05-16T25:00", "2022-05-16T08:30+2"),
    *("2022-02-29", "1900-02-29", "2022-02-30", "2022-04-31", "2022-05-16 and more"),
]


def test_what_is_not_iso_8601() -> None:
    assert unreadable(pa.array(["2022-05-16", "16/05/2022", "2022-02-29"])) == {1: "not ISO 8601", 2: "not ISO 8601"}


@pytest.mark.parametrize("text", [*READABLE, *UNREADABLE])
def test_ingestion_and_transform_agree(text: str) -> None:
    _, _, readable = parsed(tf.constant([text]))
    assert bool(readable.numpy()[0]) is (text in READABLE)
    assert bool(unreadable(pa.array([text]))) is (text in UNREADABLE)
