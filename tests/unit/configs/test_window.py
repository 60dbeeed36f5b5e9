from __future__ import annotations

from pathlib import Path

import pytest

from configs.fingerprint import settings_fingerprint
from configs.load import load_settings
from configs.settings import Settings
from configs.window import Window
from schemas.errors import SettingsError

MINIMAL = Path(__file__).parents[3] / "configs/minimal.yaml"


def settings(*overrides: str) -> Settings:
    return load_settings([MINIMAL], list(overrides), {})


@pytest.mark.parametrize(
    ("window", "newest", "numbers"),
    [
        (Window(spans=3), 5, [3, 4, 5]),
        (Window(spans=3, step=7), 20, [6, 13, 20]),
        (Window(spans=3), 1, [0, 1]),
        (Window(spans=3, step=7), 10, [3, 10]),
        (Window(), 5, [5]),
    ],
)
def test_the_numbers_of_a_window(window: Window, newest: int, numbers: list[int]) -> None:
    found = window.numbers(newest)
    assert found is not None
    assert list(found) == numbers


def test_a_growing_window_has_no_first_number() -> None:
    assert Window(spans="all").numbers(5) is None


def test_one_span_is_no_window() -> None:
    assert not settings().window.is_used
    assert settings("window.spans=all").window.is_used


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("window.spans=some", "window.spans must be a whole number of at least 1, or all"),
        ("window.spans=0", "window.spans must be a whole number of at least 1, or all"),
        ("window={spans: 3, minimum: 4}", "window.minimum must be at most the 3 spans of the window"),
        ("window={spans: 3, minimum: 2, max_gaps: 2}", "window.max_gaps must leave the minimum of 2 of the 3 spans"),
        ("window.gaps=1", "Unknown key 'gaps' in window"),
        ("validation.drift={fare: 2}", "validation.drift.fare must be a number above 0 and at most 1"),
        ("validation.drift={fares: 0.1}", "'fares' is not a raw column that the features or the label read"),
        ("validation.drift={fare: {infinity_norm: 0.1}}", "is measured of columns of text only"),
        ("validation.skew={fare: 0.1}", "validation.serving_path must name the rows that skew is measured from"),
        (
            "validation={skew: {tips: 0.1}, serving_path: x.csv}",
            "'tips' is not a raw column that the features read",
        ),
    ],
)
def test_what_cannot_be_is_refused(override: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(override)
    assert message in caught.value.what


def test_what_is_not_asked_for_leaves_no_trace_in_the_fingerprint_and_what_is_does() -> None:
    plain = settings_fingerprint(settings())
    assert settings_fingerprint(settings("window={spans: 1, max_gaps: 0, step: 7}")) == plain
    assert settings_fingerprint(settings("window.spans=2")) != plain
    assert settings_fingerprint(settings("validation.drift={'*': 0.1}")) != plain
