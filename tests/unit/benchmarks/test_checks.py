from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from benchmarks.checks import check_auc, check_columns, check_rows, check_vocabularies, require
from benchmarks.split_columns import Column
from schemas.errors import RunError

FARE = Column(10, 11.5, None)
COMPANY = Column(7, None, {"Flash": 4.0, "Blue": 3.0})
COLUMNS = {"fare": FARE, "company": COMPANY}


def failed(ours: dict[str, Column]) -> dict[str, str]:
    return {check.what: check.ours for check in check_columns("eval", COLUMNS, ours) if not check.holds}


@pytest.mark.parametrize(("ours", "holds"), [(0.95, True), (0.5485, True), (0.5475, False)])
def test_auc_may_be_lower_by_two_thousandths(ours: float, holds: bool) -> None:
    assert check_auc(0.55, ours).holds is holds


def test_rows_must_be_as_many() -> None:
    assert check_rows("train", 100, 100).holds
    assert not check_rows("train", 100, 99).holds


def test_columns_of_the_same_content() -> None:
    assert [(check.what, check.stock, check.ours) for check in check_columns("eval", COLUMNS, COLUMNS)] == [
        ("numbers of values, eval", "2 columns", "the same"),
        ("means of numbers, eval", "1 columns", "the same"),
        ("texts and their counts, eval", "1 columns", "the same"),
    ]
    assert failed(COLUMNS) == {}


def test_columns_of_one_side_only_do_not_count() -> None:
    assert failed({**COLUMNS, "more": FARE}) == {}


def test_a_value_more() -> None:
    assert failed({**COLUMNS, "fare": replace(FARE, values=11)}) == {"numbers of values, eval": "others in fare"}


def test_means_may_differ_by_the_order_of_the_sum_only() -> None:
    assert failed({**COLUMNS, "fare": replace(FARE, mean=11.500001)}) == {}
    assert failed({**COLUMNS, "fare": replace(FARE, mean=11.5001)}) == {"means of numbers, eval": "others in fare"}


def test_a_text_that_is_counted_otherwise() -> None:
    ours = {**COLUMNS, "company": replace(COMPANY, texts={"Flash": 3.0, "Blue": 4.0})}
    assert failed(ours) == {"texts and their counts, eval": "others in company"}


def test_nothing_in_common_is_nothing_that_agrees() -> None:
    assert set(failed({"other": FARE}).values()) == {"no such columns"}


@pytest.mark.parametrize(
    ("ours", "holds"), [([b"Cash", b"Card"], True), ([b"Card", b"Cash"], False), ([b"Cash"], False), (None, False)]
)
def test_vocabularies_have_the_same_values_in_the_same_order(ours: list[bytes] | None, holds: bool) -> None:
    made = {} if ours is None else {"payment_type": ours}
    assert check_vocabularies({"payment_type": [b"Cash", b"Card"]}, made).holds is holds


def test_what_does_not_hold_is_an_error_that_names_it() -> None:
    checks = [asdict(check_rows("train", 100, 100)), asdict(check_rows("eval", 50, 49))]
    with pytest.raises(RunError, match="did not give the same results") as caught:
        require(checks)
    assert caught.value.where == "rows, eval"
    assert caught.value.received == "stock 50, ours 49"
    require(checks[:1])
