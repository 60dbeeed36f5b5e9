from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.combiner import Combiner, Plan, QuantilesPlan, VocabularyPlan

NUMBERS = st.one_of(st.just(np.nan), st.floats(-1e6, 1e6))


def run(plan, *batches):
    """Each batch in an accumulator of its own that has travelled."""
    combiner = Combiner(plan)
    coder = combiner.accumulator_coder
    travelled = []
    for batch in batches:
        accumulator = combiner.compact(combiner.add_input(combiner.create_accumulator(), batch))
        travelled.append(coder.decode_cache(coder.encode_cache(accumulator)))
    return combiner.extract_output(combiner.merge_accumulators(travelled))


def column(*values):
    return [np.array(values, np.float64).reshape(-1, 1)]


def test_a_constant_does_not_vary_though_its_mean_is_rounded():
    constant = float(np.log1p(3.0))  # the mean of a thousand of them is an ulp off
    numbers, *_ = run(Plan(moments=1), column(*[constant] * 1000))
    assert numbers[:4].tolist() == [constant, 0.0, constant, constant]


def test_moments():
    numbers, *_ = run(Plan(moments=1), column(1.0, 2.0), column(np.nan, 6.0))
    # Mean 3; squares 4 + 1 + 9 over 3; 1 to 6.
    assert numbers.tolist() == pytest.approx([3.0, 14 / 3, 1.0, 6.0])


def test_infinities_are_left_out():
    numbers, *_ = run(Plan(moments=1), column(1.0, np.inf, 3.0, -np.inf))
    assert numbers.tolist() == [2.0, 1.0, 1.0, 3.0]


def test_nothing_present_gives_zeros():
    numbers, *_ = run(Plan(moments=1, quantiles=(QuantilesPlan(0, 3),)), column(np.nan))
    assert numbers.tolist() == [0.0] * 6


def test_no_rows_at_all():
    combiner = Combiner(Plan(moments=1, vocabularies=(VocabularyPlan("int", None, None, True),)))
    numbers, lines, idf = combiner.extract_output(combiner.create_accumulator())
    assert numbers.tolist() == [0.0, 0.0, 0.0, 0.0, 1.0]
    assert lines == [[b"-1"]]
    assert idf.tolist() == [1.0, 1.0]


def test_variance_of_large_numbers():
    numbers, *_ = run(Plan(moments=1), column(1e9 + 1), column(1e9 + 2), column(1e9 + 3))
    assert numbers[1] == pytest.approx(2 / 3, rel=1e-9)


@given(st.lists(st.lists(NUMBERS, min_size=1, max_size=8), min_size=1, max_size=5))
def test_moments_do_not_depend_on_the_batches(batches):
    numbers, *_ = run(Plan(moments=1), *(column(*batch) for batch in batches))
    x = np.array([value for batch in batches for value in batch if not np.isnan(value)])
    expected = [x.mean(), x.var(), x.min(), x.max()] if len(x) else [0.0] * 4
    np.testing.assert_allclose(numbers, expected, rtol=1e-9, atol=1e-6)


def test_quantiles():
    numbers, *_ = run(Plan(0, (QuantilesPlan(0, 4),)), column(*range(1, 51)), column(*range(51, 101)))
    assert numbers.tolist() == pytest.approx([25, 50, 75], abs=1)


def test_vocabulary_is_ordered_by_count_then_value():
    plan = Plan(0, (), (VocabularyPlan("string", None, None, False),))
    none = np.zeros((0, 0))
    values = np.array([b"a", b"b", b"c"], object)
    numbers, lines = run(plan, [none, values, np.array([1, 2, 1])], [none, values[:1], np.array([1])])
    assert lines == [[b"b", b"a", b"c"]]
    assert numbers.tolist() == [3.0]


def test_what_is_no_line_of_a_file_is_left_out():
    plan = Plan(0, (), (VocabularyPlan("string", None, None, False),))
    values = np.array([b"", b"a\nb", b"c\r", b"d"], object)
    _, lines = run(plan, [np.zeros((0, 0)), values, np.array([9, 9, 9, 1])])
    assert lines == [[b"d"]]


def test_idf_counts_rows():
    plan = Plan(0, (), (VocabularyPlan("string", 1, None, True),))
    values = np.array([b"a", b"b"], object)
    *_, idf = run(plan, [np.zeros((0, 0)), values, np.array([5, 1]), np.array([2, 1]), np.array(3)])
    assert idf.tolist() == pytest.approx([1 + np.log(4 / 3)] * 2)


def test_different_plans_have_different_names():
    # TFT's analyzer cache tells accumulators apart by the combiner's text.
    assert repr(Combiner(Plan(1))) != repr(Combiner(Plan(2)))
