from __future__ import annotations

from schemas.transformed import Category


def test_most_frequent_value_first_and_missing_last(kinds):
    # Cash, Card, one bucket for the rest (2), missing (3); the empty string is missing.
    assert kinds.of("pay_xf") == [[0], [0], [1], [3], [3], [3]]


def test_vocabulary_file(kinds):
    assert kinds.output.vocabulary_by_name("pay") == [b"Cash", b"Card"]


def test_model_input_has_the_vocabulary_oov_buckets_and_missing(kinds):
    assert kinds.input("pay_xf") == Category("pay_xf", 4)


def test_unknown_value_goes_to_the_oov_bucket(kinds):
    assert kinds.serve([{"pay": "Bitcoin"}, {"pay": "line\nbreak"}])["pay_xf"].tolist() == [[2], [2]]


def test_top_k(kinds):
    assert kinds.output.vocabulary_by_name("pay_top") == [b"Cash"]
    found = [row[0] for row in kinds.of("pay_top_xf")]
    assert found[:2] == [0, 0]
    assert found[2] in (1, 2)
    assert found[3:] == [3, 3, 3]


def test_min_frequency(kinds):
    assert kinds.output.vocabulary_by_name("pay_often") == [b"Cash"]


def test_whole_numbers_are_told_apart_beyond_float_precision(kinds):
    assert kinds.of("account_xf") == [[0], [0], [1], [3], [3], [3]]
    assert kinds.output.vocabulary_by_name("account") == [str(2**62 + 1).encode(), str(2**62).encode()]


def test_zero_is_a_value_not_a_missing_one(kinds):
    assert kinds.serve([{"account": 0}])["account_xf"].tolist() == [[2]]


def test_a_column_that_is_always_missing(kinds):
    # One line stands for the empty vocabulary, one bucket for unknown values, one for missing.
    assert kinds.of("never_xf") == [[2]] * 6
    assert kinds.of("never_int_xf") == [[2]] * 6
    assert kinds.input("never_xf") == Category("never_xf", 3)
