from __future__ import annotations

from typing import Any

import pytest

from components.span_window.choice import choose
from configs.window import Window
from schemas.errors import DataError


def chosen(
    window: dict[str, Any], newest: int, accepted: set[int], refused: tuple[int, ...] = (), **more: Any
) -> list[int]:
    given = {"is_first": True, **more}
    return choose(Window(**window), newest, accepted=accepted, ingested={*accepted, *refused}, **given)


def test_a_sliding_window_has_the_newest_spans_from_the_oldest() -> None:
    assert chosen({"spans": 3}, 5, {1, 2, 3, 4}, is_first=False) == [3, 4, 5]


def test_a_growing_window_has_all_of_them() -> None:
    assert chosen({"spans": "all"}, 5, {1, 2, 3, 4}) == [1, 2, 3, 4, 5]


def test_what_is_before_the_first_span_is_no_gap() -> None:
    assert chosen({"spans": 4}, 2, {1}) == [1, 2]
    assert chosen({"spans": 4}, 9, set()) == [9]


def test_what_is_missing_at_the_windows_begin_is_a_gap_where_there_were_spans_before() -> None:
    with pytest.raises(DataError, match="has 1 gap, and window.max_gaps allows 0") as caught:
        chosen({"spans": 4}, 5, {3, 4}, is_first=False)
    assert caught.value.received == "accepted: spans 3, 4, 5; never ingested: span 2"


def test_a_refused_first_span_is_a_gap() -> None:
    with pytest.raises(DataError, match="1 gap"):
        chosen({"spans": 4}, 4, {3}, refused=(2,))


def test_gaps_that_are_allowed_are_left_out() -> None:
    assert chosen({"spans": 5, "max_gaps": 2}, 5, {1, 4}, refused=(2,)) == [1, 4, 5]


def test_the_message_tells_missing_and_refused_spans_apart_and_what_to_do() -> None:
    with pytest.raises(DataError) as caught:
        chosen({"spans": 4, "max_gaps": 1}, 19787, {19784}, refused=(19785,), dated=True)
    error = caught.value
    assert error.where == "SpanWindow of span 19787 (2024-03-05)"
    assert error.received == (
        "accepted: spans 19784 (2024-03-02), 19787 (2024-03-05); never ingested: span 19786 (2024-03-04); "
        "ingested, but not accepted by AnomalyGate: span 19785 (2024-03-03)"
    )
    assert "--set data.span=SPAN --to AnomalyGate" in error.fix
    assert "window.max_gaps" in error.fix


def test_too_few_spans_are_refused() -> None:
    with pytest.raises(DataError, match="The window has 2 spans, and window.minimum asks for 3") as caught:
        chosen({"spans": 5, "minimum": 3}, 2, {1})
    assert "window.minimum" in caught.value.fix


def test_spans_are_a_step_apart() -> None:
    window = {"spans": 3, "step": 7}
    assert chosen(window, 20, {6, 12, 13, 14}) == [6, 13, 20]
    assert chosen({**window, "spans": "all"}, 20, {5, 6, 13}) == [6, 13, 20]


def test_a_window_never_reaches_below_zero() -> None:
    assert chosen({"spans": 9}, 1, {0}) == [0, 1]


def test_later_spans_do_not_count() -> None:
    assert chosen({"spans": "all"}, 2, {1, 3}) == [1, 2]
