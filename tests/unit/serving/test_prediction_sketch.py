"""Sketches of predictions: bins of numbers, deciles, names of classes."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
from hypothesis import given

from serving.prediction_sketch import Counts, PredictionSketch, number_bins, predicted, sketch_bins


def sketch(values: Any) -> PredictionSketch:
    found = PredictionSketch()
    found.add(np.asarray(values))
    return found


def bins(stable: Any, canary: Any) -> Counts:
    return sketch_bins(sketch(stable), sketch(canary))


def test_a_number_is_counted_by_the_first_bits_of_its_float32() -> None:
    # 1.0 is 0x3F800000, and the next bin of 64 begins at 1 + 1/64; negative ones count down from -1.
    assert number_bins(np.array([1.0, 1 + 1 / 65, 1 + 1 / 64, 0.0, -0.0, -1.0])).tolist() == [
        0x3F800000 >> 17,
        0x3F800000 >> 17,
        (0x3F800000 >> 17) + 1,
        0,
        0,
        -1 - (0x3F800000 >> 17),
    ]


@given(st.lists(st.floats(allow_nan=False), min_size=2).map(sorted))
def test_bins_are_in_the_order_of_the_numbers(values: list[float]) -> None:
    found = number_bins(np.array(values)).tolist()
    assert found == sorted(found)


def test_numbers_are_counted_between_stables_deciles() -> None:
    stable = np.linspace(1.0, 2.0, 64, endpoint=False).repeat(10)  # a bin each, of which 6 or 7 make a tenth
    before, now = bins(stable, [1.0, 1.0, 1.99, 1000.0])
    assert before == [70, 70, 70, 70, 70, 70, 70, 70, 70, 10, 0]
    assert now == [2, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0]


def test_a_value_that_is_all_there_is_has_its_own_bin() -> None:
    before, now = bins(np.full(10, 0.5), [0.4, 0.5, 0.6])
    assert before == [0, 10, 0, 0]
    assert now == [1, 1, 1, 0]


def test_nan_and_infinity_are_counted() -> None:
    nan, inf = float("nan"), float("inf")
    before, now = bins([1.0, 1.0, nan], [inf, nan, nan])
    assert before[-1] == 1
    assert now[-2:] == [1, 2]
    assert bins([nan], [1.0]) == ([0, 1], [1, 0])


def test_classes_are_counted_by_name_and_the_rare_ones_together() -> None:
    stable = [str(number) for number in range(19)] * 3 + ["rare", "rarer"]
    before, now = bins(stable, ["0", "new", "new", "new", "new"])
    assert (len(before), sum(before), sum(now)) == (21, 59, 5)
    assert before[-1] + now[-1] == 2  # rare and rarer; `new` is frequent


def test_classes_without_end_take_no_memory_without_end() -> None:
    found = sketch([f"class {number}" for number in range(1000)])
    found.merge(sketch([f"class {number}" for number in range(1000, 2000)]))
    found.add(np.array([f"class {number}" for number in range(2000, 3000)]))
    assert len(found.classes) == 1001
    assert sum(found.classes.values()) == 3000


def test_texts_are_not_kept() -> None:
    found = sketch(np.array([b"a name", b"a name", b"another"], object))
    assert sorted(found.classes.values()) == [1, 2]
    assert "name" not in found.model_dump_json()
    assert list(sketch([[0.1, 0.9]]).classes) == ["1"]


def test_of_a_large_answer_some_rows_are_counted_and_of_a_long_text_the_beginning() -> None:
    # 1,048,576 numbers, of which each row of 4 is one class; 1,000 rows of the 262,144 are every 263rd, which is 997.
    image = sketch(np.tile(np.array([0.0, 3.0, 1.0, 2.0], np.float32), (1, 512, 512, 1)))
    assert (image.answers, image.classes) == (1, {"1": 997})
    assert sum(sketch(np.zeros(10_000)).numbers.values()) == 1000
    wide = sketch(np.arange(200_000.0).reshape(1, -1))
    assert wide.classes == {"99999": 1}
    assert sketch(["a" * 64 + "b" * 10_000]).classes == sketch(["a" * 64]).classes
    assert sketch(np.zeros((0, 3))).classes == {}


def test_what_an_output_predicts() -> None:
    assert predicted(np.array([[0.25], [0.5]], np.float32)).tolist() == [0.25, 0.5]
    assert predicted(np.array([[0.1, 0.9], [0.8, 0.2]])).tolist() == [1, 0]
    assert predicted(np.array([b"yes", b"no"], object)).tolist() == ["yes", "no"]
    assert predicted(np.array([True, False])).tolist() == [True, False]
    assert predicted(np.array([3, 4])).tolist() == [3.0, 4.0]


def test_sketches_add_up_as_if_one_had_seen_all() -> None:
    both, second = sketch([0.5, float("nan")]), sketch([0.5, 0.7])
    both.merge(second)
    one = sketch([0.5, float("nan")])
    one.add(np.array([0.5, 0.7]))
    assert both == one
    assert (both.answers, both.missing, sum(both.numbers.values())) == (2, 1, 3)
    assert both == PredictionSketch.model_validate_json(both.model_dump_json())
